import { expect, it } from "vitest";
import type { Config } from "../types";
import { Edits } from "./edits";

it("builds a press upon the one before it until the server has answered both, and then upon its echo", async () => {
  const config = { features: ["x1"] } as Config;
  const asked: unknown[] = [];
  const answers: (() => void)[] = [];
  const edits = new Edits(
    () => config,
    (patch) => {
      asked.push(patch.features);
      return new Promise((resolve) => answers.push(() => resolve(true)));
    },
  );
  const add = (name: string) => edits.ask("features", (old) => [...old, name]);
  const both = [add("x2"), add("x3")];
  expect(asked).toEqual([
    ["x1", "x2"],
    ["x1", "x2", "x3"],
  ]);
  for (const answer of answers) answer();
  await Promise.all(both);
  void add("x4");
  expect(asked.at(-1)).toEqual(["x1", "x4"]);
});
