/** Cuts LaTeX at each `,\quad` or `;\quad` outside braces and environments: one clause a line, since MathML does not wrap. */
export function clauses(latex: string): string[] {
  const lines: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of latex.matchAll(
    /\\(?:begin|end)\b|\\left\b|\\right\b|\\[{}]|[{}]|[,;]\s*\\q?quad\b/g,
  )) {
    if (token === "{" || token === "\\begin" || token === "\\left") depth++;
    else if (token === "}" || token === "\\end" || token === "\\right") depth--;
    else if (depth === 0 && /quad$/.test(token)) {
      lines.push(latex.slice(start, index));
      start = index + token.length;
    }
  }
  return [...lines, latex.slice(start)].map((line) => line.trim()).filter(Boolean);
}
