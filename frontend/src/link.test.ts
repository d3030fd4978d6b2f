import { expect, it } from "vitest";
import { fromHash, handedKey, hashOf, isForeign, toHash } from "./link";

const config = {
  data: { kind: "points", points: [[0.1, -6, 1]] },
  hidden: [{ width: 4, activation: { kind: "tanh" }, batchnorm: false, dropout: 0 }],
  clip_norm: null,
  seed: 4294967295,
};

it("gives back the same config, from a hash that needs no escaping", async () => {
  const hash = await toHash(config);
  expect(hash).toMatch(/^c=[A-Za-z0-9_-]+$/);
  expect(await fromHash(`#${hash}`)).toEqual(config);
});

it("gives the same hash for the same config", async () => {
  expect(await toHash(config)).toBe(await toHash(structuredClone(config)));
});

it("finds nothing in an address without a config", async () => {
  expect(await fromHash("")).toBeNull();
  expect(await fromHash("#somewhere")).toBeNull();
});

it("throws on a damaged hash", async () => {
  const hash = await toHash(config);
  await expect(fromHash(hash.slice(0, -9))).rejects.toThrow();
  await expect(fromHash("c=%%%")).rejects.toThrow();
  await expect(fromHash(await toHash([1] as never))).rejects.toThrow();
});

it("knows a link to an experiment, of this page or of TensorFlow Playground, from other text", () => {
  const theirs = "#activation=tanh&dataset=circle&networkShape=4,2&seed=0.12345&x_hide=true&tutorial=";
  expect(hashOf(` https://playground.tensorflow.org/${theirs}\n`)).toBe(theirs);
  expect(hashOf(theirs)).toBe(theirs);
  expect(hashOf("https://example.org/play/?hide=loss#c=abc")).toBe("#c=abc");
  for (const text of ["", "#somewhere", "hello", "a=b&c=d", "https://example.org/", "see #a=b and #c=d"])
    expect(hashOf(text)).toBeNull();
  expect([isForeign(theirs), isForeign("#c=abc"), isForeign("#somewhere")]).toEqual([true, false, false]);
});

it("takes the key that a script hands over for no experiment", () => {
  expect(handedKey("#key=kJ0vTg2h_N5c-1xw")).toBe("kJ0vTg2h_N5c-1xw");
  expect([handedKey(""), handedKey("#c=abc"), handedKey("#key=a&b=c")]).toEqual([null, null, null]);
  expect([isForeign("#key=abc"), hashOf("http://127.0.0.1:8000/?session=1#key=abc")]).toEqual([false, null]);
});
