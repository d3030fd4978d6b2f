import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Paced } from "./paced";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("sends the first at once, then at most one in an interval, and of those only the newest", async () => {
  const sent: number[] = [];
  const paced = new Paced<number>(async (value) => sent.push(value));
  for (let i = 0; i < 50; i++) {
    paced.push(i);
    await vi.advanceTimersByTimeAsync(10);
  }
  await vi.advanceTimersByTimeAsync(200);
  expect(sent[0]).toBe(0);
  expect(sent.at(-1)).toBe(49);
  expect(sent.length).toBeLessThanOrEqual(6);
});

it("waits for the answer before it sends the next, and says when all is settled", async () => {
  const answers: (() => void)[] = [];
  const sent: string[] = [];
  let settled = 0;
  const paced = new Paced<string>(
    (value) => {
      sent.push(value);
      return new Promise<void>((resolve) => answers.push(resolve));
    },
    () => settled++,
  );
  paced.push("a");
  paced.push("b");
  await vi.advanceTimersByTimeAsync(500);
  expect(sent).toEqual(["a"]);
  answers[0]();
  await vi.advanceTimersByTimeAsync(500);
  expect(sent).toEqual(["a", "b"]);
  expect(settled).toBe(0);
  answers[1]();
  await vi.advanceTimersByTimeAsync(0);
  expect(settled).toBe(1);
  expect(paced.idle).toBe(true);
});

it("goes on after a refusal", async () => {
  const sent: number[] = [];
  const paced = new Paced<number>(async (value) => {
    sent.push(value);
    throw new Error("refused");
  });
  paced.push(1);
  await vi.advanceTimersByTimeAsync(200);
  paced.push(2);
  await vi.advanceTimersByTimeAsync(200);
  expect(sent).toEqual([1, 2]);
});
