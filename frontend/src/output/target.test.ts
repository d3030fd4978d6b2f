import { describe, expect, it } from "vitest";
import type { Task } from "../types";
import type { Part, Points } from "../wire";
import { targetOf } from "./target";

const NONE: Points = { inputs: [], targets: [], columns: 2, copies: 0 };

function source(task: Partial<Task>, train: Points, test: Points = NONE) {
  return { task: task as Task, points: (part: Part) => (part === "train" ? train : test) };
}

describe("the picture that is learned", () => {
  // 4 by 2 pixels over a square of 12: a pixel is 3 wide.
  const topLeft = [-4.5, 1.5];
  const bottomRight = [4.5, -1.5];

  it("has each pixel in its place, of train and test points", () => {
    const train = { inputs: topLeft, targets: [1, -1, 0], columns: 2, copies: 0 };
    const test = { inputs: bottomRight, targets: [-1, 1, 1], columns: 2, copies: 0 };
    const target = targetOf(source({ picture: [4, 2] }, train, test), 6);
    expect(target).toMatchObject({ width: 4, height: 2 });
    expect([...(target?.bytes.subarray(0, 4) ?? [])]).toEqual([255, 0, 128, 255]);
    expect([...(target?.bytes.subarray(28) ?? [])]).toEqual([0, 255, 255, 255]);
    expect([...(target?.bytes.subarray(4, 8) ?? [])]).toEqual([0, 0, 0, 0]);
  });

  it("has the colours that classes are", () => {
    const train = { inputs: topLeft, targets: [1], columns: 2, copies: 0 };
    const task = { picture: [4, 2] as [number, number], class_colours: ["#000000", "#d23837"] };
    expect([...(targetOf(source(task, train), 6)?.bytes.subarray(0, 4) ?? [])]).toEqual([210, 56, 55, 255]);
  });

  it("is none where the data are no picture", () => {
    expect(targetOf(source({}, NONE), 6)).toBeNull();
  });
});
