import { describe, expect, it } from "vitest";
import { arrange, curve, nearestEdge, type Room, type Shape } from "./layout";

const DESK: Room = { width: 816, height: 400, coarse: false };
const shape = (hidden: number[], fields: Partial<Shape> = {}): Shape => ({
  features: 9,
  used: [0, 1],
  hidden,
  outputs: 1,
  ...fields,
});

describe("the picture of a network", () => {
  it("shows 6 layers of 8 whole, with every edge, without scrolling", () => {
    const layout = arrange(shape(Array(6).fill(8)), { ...DESK, height: 290 });
    expect(layout.width).toBe(DESK.width);
    expect(layout.height).toBe(290);
    expect(layout.columns.every(({ rest }) => rest === 0)).toBe(true);
    expect(layout.edges.length).toBe(2 * 8 + 5 * 64 + 8);
    for (const { places, tile } of layout.columns) {
      for (const { x, y } of places) {
        expect(y - tile / 2).toBeGreaterThanOrEqual(0);
        expect(y + tile / 2).toBeLessThanOrEqual(290);
        expect(x + tile / 2).toBeLessThanOrEqual(DESK.width);
      }
    }
  });

  it("never lets two units of a layer overlap", () => {
    for (const width of [1, 2, 8, 9, 40, 256]) {
      for (const { places, tile, rest, restY } of arrange(shape([width, 3]), DESK).columns) {
        for (let i = 1; i < places.length; i++) expect(places[i].y - places[i - 1].y).toBeGreaterThan(tile);
        if (rest) expect(restY - places[places.length - 1].y).toBeGreaterThan(tile / 2);
      }
    }
  });

  it("says how many units of a wide layer it leaves out", () => {
    const column = arrange(shape([256]), DESK).columns[1];
    expect(column.places.length).toBeGreaterThanOrEqual(8);
    expect(column.places.length + column.rest).toBe(256);
  });

  it("folds the features of a table of many columns, until they are asked for", () => {
    const used = Array.from({ length: 64 }, (_, i) => i);
    const folded = arrange(shape([4], { features: 64, used }), DESK);
    expect(folded.columns[0].places.length + folded.columns[0].rest).toBe(64);
    expect(folded.columns[0].rest).toBeGreaterThan(40);
    expect(folded.height).toBe(DESK.height);
    expect(new Set(folded.edges.filter(({ layer }) => layer === 0).map(({ source }) => source)).size).toBe(
      folded.columns[0].places.length,
    );
    const whole = arrange(shape([4], { features: 64, used, unfolded: true }), DESK);
    expect(whole.columns[0].places.length).toBe(64);
    expect(whole.columns[0].rest).toBe(0);
    expect(arrange(shape([4]), DESK).columns[0].rest).toBe(0);
  });

  it("scrolls sideways when twelve layers do not fit, and on a phone", () => {
    expect(arrange(shape(Array(12).fill(2)), DESK).width).toBeGreaterThan(DESK.width);
    const phone = arrange(shape([4, 2]), { width: 350, height: 380, coarse: true });
    expect(phone.width).toBeGreaterThan(350);
    expect(phone.columns[1].tile).toBeGreaterThanOrEqual(36);
  });

  // Tiles were 44 px at most, however large the window.
  it("grows with the room, its edges too", () => {
    const small = arrange(shape([4, 2]), { ...DESK, height: 290 });
    const large = arrange(shape([4, 2]), { width: 1000, height: 560, coarse: false });
    expect(large.columns[1].tile).toBeGreaterThan(1.5 * small.columns[1].tile);
    expect(large.weight).toBeGreaterThan(small.weight);
    for (const { places, tile } of large.columns)
      for (let i = 1; i < places.length; i++) expect(places[i].y - places[i - 1].y).toBeGreaterThan(tile);
  });

  it("leaves out the features that are not in use, where they cannot be chosen", () => {
    const layout = arrange(shape([3], { used: [5, 1], fixed: true }), DESK);
    expect(layout.columns[0].places.map(({ unit }) => unit)).toEqual([5, 1]);
    const into = layout.edges.filter(({ layer, unit }) => layer === 0 && unit === 0);
    expect(into.map(({ source }) => source)).toEqual([0, 1]);
  });

  it("draws no hidden layer when there is none", () => {
    const layout = arrange(shape([]), DESK);
    expect(layout.columns.map(({ layer }) => layer)).toEqual([-1, 0]);
    expect(layout.edges.length).toBe(2);
  });

  it("takes the weights' rows in the order of the features in use", () => {
    const layout = arrange(shape([3], { used: [5, 1] }), DESK);
    const [features] = layout.columns;
    const into = layout.edges.filter(({ layer, unit }) => layer === 0 && unit === 2);
    expect(into.map(({ source }) => source)).toEqual([0, 1]);
    expect(into.map(({ y0 }) => y0)).toEqual([features.places[5].y, features.places[1].y]);
  });

  it("keeps the weights in place for a feature that the data do not have (yet)", () => {
    const layout = arrange(shape([2], { used: [-1, 1] }), DESK);
    const into = layout.edges.filter(({ layer }) => layer === 0);
    expect(into.map(({ source, unit }) => [source, unit])).toEqual([
      [1, 0],
      [1, 1],
    ]);
  });
});

describe("shortcuts", () => {
  const dense = (hidden: number[]) =>
    arrange(shape(hidden, { shortcuts: [...hidden, 0].map(() => "dense") }), DESK);

  it("lead from the inputs and all layers before, in the order of the weights", () => {
    const { edges, starts } = dense([3, 2]);
    expect(starts).toEqual([0, 6, 6 + 10, 6 + 10 + 7]);
    const into = edges.filter(({ layer, unit }) => layer === 2 && unit === 0);
    const from = into.map(({ source, from }) => `${source}: ${from.layer}.${from.unit}`).sort();
    expect(from).toEqual(["0: -1.0", "1: -1.1", "2: 0.0", "3: 0.1", "4: 0.2", "5: 1.0", "6: 1.1"]);
    expect(into.filter(({ past }) => past).map(({ source }) => source)).toEqual([0, 1, 2, 3, 4]);
  });

  it("run past the layers between, beside their tiles and within the picture", () => {
    for (const hidden of [
      [3, 2],
      [8, 8, 8],
      [256, 4],
      [1, 12, 1],
    ]) {
      const { edges, columns, height } = dense(hidden);
      for (const { from, layer, past } of edges) {
        expect(past !== undefined).toBe(from.layer < layer - 1);
        if (!past) continue;
        expect(past.y).toBeGreaterThan(0);
        expect(past.y).toBeLessThan(height);
        for (const { places, tile } of columns.slice(from.layer + 2, layer + 1))
          for (const { y } of places) expect(Math.abs(past.y - y)).toBeGreaterThanOrEqual(tile / 2);
      }
    }
  });

  it("can be found under the pointer where they run level, if they are drawn", () => {
    const layout = dense([3, 2]);
    const way = layout.edges.findIndex(({ past }) => past);
    const { past } = layout.edges[way];
    const x = ((past?.from ?? 0) + (past?.to ?? 0)) / 2;
    const found = layout.edges[nearestEdge(layout, x, past?.y ?? 0, 4)];
    expect(found.past?.y).toBe(past?.y);
    expect(nearestEdge(layout, x, past?.y ?? 0, 4, () => false)).toBe(-1);
  });

  it("that add lead from unit to unit", () => {
    const { added } = arrange(shape([4, 4, 2], { shortcuts: ["none", "residual", "none", "none"] }), DESK);
    expect(added.length).toBe(4);
    expect(arrange(shape([2], { used: [3, 0], shortcuts: ["residual", "none"] }), DESK).added.length).toBe(2);
    expect(arrange(shape([4, 4]), DESK).added).toEqual([]);
  });
});

describe("the edge under the pointer", () => {
  const layout = arrange(shape([4, 4]), DESK);

  it("is found in the middle and near the ends of every edge", () => {
    layout.edges.forEach((edge, i) => {
      const steep = { x: (edge.x0 + edge.x1) / 2, y: (edge.y0 + edge.y1) / 2 };
      const found = layout.edges[nearestEdge(layout, steep.x, steep.y, 6)];
      // Edges may cross in the middle; the one found must pass there too.
      expect((found.y0 + found.y1) / 2).toBeCloseTo(steep.y, 5);
      // Three quarters of the way along the curve, where no two are at one place.
      const t = 0.75;
      const across = 1.5 * t * (1 - t) + t ** 3;
      const x = edge.x0 + across * (edge.x1 - edge.x0);
      const y = edge.y0 + t * t * (3 - 2 * t) * (edge.y1 - edge.y0);
      expect(nearestEdge(layout, x, y, 6)).toBe(i);
    });
  });

  it("is none far from all of them", () => {
    expect(nearestEdge(layout, layout.columns[1].x, 200, 8)).toBe(-1);
    expect(nearestEdge(layout, layout.edges[0].x0 + 5, 2, 8)).toBe(-1);
  });

  it("starts and ends its curve level, at the two tiles", () => {
    const edge = layout.edges[3];
    const numbers = (curve(edge).match(/[\d.]+/g) ?? []).map(Number);
    expect(numbers[0]).toBeCloseTo(edge.x0, 0);
    expect(numbers[1]).toBe(numbers[3]);
    expect(numbers[5]).toBe(numbers[7]);
    expect(numbers[6]).toBeCloseTo(edge.x1, 0);
  });
});
