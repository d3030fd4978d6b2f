import { expect, it } from "vitest";
import { apart, contrast } from "./contrast";

it("tells a ratio as percent while it is small, and as a factor from a doubling on", () => {
  expect(apart("test_loss", 0.1, 0.11)).toEqual({ key: "past.higher", by: "10%" });
  expect(apart("train_loss", 0.1, 0.05)).toEqual({ key: "past.lower", by: "50%" });
  expect(apart("test_loss", 0.1, 0.971)).toEqual({ key: "past.times", by: "9.7" });
  expect(apart("test_mae", 1, 1.001).key).toBe("past.same");
  expect(apart("test_loss", 0, 0).key).toBe("past.same");
});

it("tells shares in points, and R² as it is, which may be negative", () => {
  expect(apart("test_accuracy", 0.9, 0.955)).toEqual({ key: "past.higher", by: "5.5 percentage points" });
  expect(apart("test_r2", 0.5, -0.25)).toEqual({ key: "past.lower", by: "0.750" });
  expect(apart("test_r2", 0.5, 0.501).key).toBe("past.same");
});

it("says what was measured, when, and both values", () => {
  expect(contrast("test_loss", "12", 0.1, 0.3)).toBe(
    "Test loss at epoch 12: 0.300 against 0.100 here, 3 times as high.",
  );
});
