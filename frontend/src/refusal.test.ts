import { expect, it } from "vitest";
import { refusal } from "./refusal";

it("says a bound in a sentence about the control", () => {
  expect(refusal("Input should be less than or equal to 100", "Learning rate")).toBe(
    "Learning rate must be at most 100.",
  );
  expect(refusal("Input should be greater than 0", "Learning rate")).toBe(
    "Learning rate must be more than 0.",
  );
  expect(refusal("Input should be a valid integer, got a number with a fractional part", "Batch size")).toBe(
    "Batch size must be a whole number.",
  );
});

it("leaves other messages as they are", () => {
  expect(refusal("does not fit the data", "Loss")).toBe("Loss: does not fit the data");
  expect(refusal("Input should be greater than 0")).toBe("Input should be greater than 0");
});
