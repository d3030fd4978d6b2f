import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { frameOf, GROUPS, lessonLink } from "./lesson";

const PAGE = "https://example.org/play/?session=1#c=abc";

describe("a lesson's link", () => {
  it("names the parts that it hides, and keeps the experiment", () => {
    expect(lessonLink(PAGE, "/play", false, [])).toBe("https://example.org/play/#c=abc");
    expect(lessonLink(PAGE, "/play", true, ["loss", "l1"])).toBe(
      "https://example.org/play/embed?hide=loss,l1#c=abc",
    );
  });

  it("stands in a frame as HTML", () => {
    expect(frameOf("https://example.org/embed?hide=a&b#c", 'A "b"', 560)).toBe(
      '<iframe src="https://example.org/embed?hide=a&amp;b#c" title="A &quot;b&quot;" width="100%" height="560" style="border: 0" loading="lazy"></iframe>',
    );
  });

  it("can hide all that the README names", () => {
    const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
    const list = readme.split("`/?hide=")[1].split("- The *watch* link")[0];
    const named = [...list.split("The names:")[1].matchAll(/`([\w.]+)`/g)].map(([, name]) => name);
    const offered = GROUPS.flatMap(({ names }) => names);
    expect(new Set(named.filter((name) => !name.includes(".")))).toEqual(new Set(offered));
  });
});
