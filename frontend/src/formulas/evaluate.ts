// What a formula is worth, for previews. The tree is the server's, which also has the numbers that are trained on.
import type { FormulaTree } from "../types";

type Call = Extract<FormulaTree, { kind: "call" }>;

const CONSTANTS = { pi: Math.PI, e: Math.E };
const truth = (is: boolean) => (is ? 1 : 0);

/** As in C, which the server computes by: 1 to any power is 1, and so is -1 to an infinite one. */
function power(a: number, b: number): number {
  if (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY)) return 1;
  return a ** b;
}

/** Halves go to the even neighbour. */
function rounded(a: number): number {
  const below = Math.floor(a);
  if (a - below !== 0.5) return Math.round(a);
  return below % 2 === 0 ? below : below + 1;
}

/** The rest, with the sign of what divides. */
function remainder(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

const OPERATIONS: Record<Call["name"], (a: number, b: number) => number> = {
  lt: (a, b) => truth(a < b),
  gt: (a, b) => truth(a > b),
  le: (a, b) => truth(a <= b),
  ge: (a, b) => truth(a >= b),
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  neg: (a) => -a,
  pow: power,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  atan: Math.atan,
  atan2: Math.atan2,
  tanh: Math.tanh,
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  abs: Math.abs,
  sign: (a) => truth(a > 0) - truth(a < 0),
  relu: (a) => Math.max(0, a),
  step: (a) => truth(a > 0),
  floor: Math.floor,
  ceil: Math.ceil,
  round: rounded,
  min: Math.min,
  max: Math.max,
  mod: remainder,
};

/** The functions that formulas know, by name. */
export const FUNCTIONS = Object.keys(OPERATIONS).slice(Object.keys(OPERATIONS).indexOf("sin"));

/** The value at these inputs, x1 first; not finite where there is none. */
export function evaluate(tree: FormulaTree, inputs: ArrayLike<number>): number {
  switch (tree.kind) {
    case "number":
      return tree.value;
    case "constant":
      return CONSTANTS[tree.name];
    case "input":
      return inputs[tree.number - 1];
    case "call": {
      const [a, b] = tree.of.map((operand) => evaluate(operand, inputs));
      // Math.min and others would take a second operand that is not there for one.
      return b === undefined ? OPERATIONS[tree.name](a, 0) : OPERATIONS[tree.name](a, b);
    }
  }
}
