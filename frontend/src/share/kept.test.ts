import { expect, test } from "vitest";
import type { Config } from "../types";
import { nameFor } from "./kept";

test("a run is called after its data, its shape and its optimizer", () => {
  const config = {
    data: { kind: "spiral" },
    hidden: [{ width: 8 }, { width: 4 }],
    optimizer: { kind: "adam" },
  };
  expect(nameFor(config as unknown as Config)).toBe("spiral 8-4 adam");
  expect(nameFor({ ...config, hidden: [] } as unknown as Config)).toBe("spiral adam");
});
