import { describe, expect, test } from "vitest";
import { matchesLabels, parseLabelSelector, selectorText } from "./selector.ts";

const labels = { app: "web", tier: "front", empty: "", "a.com/x": "1" };

describe("label selectors (P-101)", () => {
  test.each([
    { selector: "", matches: true },
    { selector: "app", matches: true },
    { selector: "!app", matches: false },
    { selector: "nope", matches: false },
    { selector: "!nope", matches: true },
    { selector: "! nope", matches: true },
    { selector: "app=web", matches: true },
    { selector: "app==web", matches: true },
    { selector: "app = web , tier=front", matches: true },
    { selector: "app=web,tier=back", matches: false },
    { selector: "app!=web", matches: false },
    { selector: "app!=db", matches: true },
    { selector: "nope!=x", matches: true },
    { selector: "app in (web,db)", matches: true },
    { selector: "app in ( web , db ),tier in (front)", matches: true },
    { selector: "app in (db)", matches: false },
    { selector: "app notin (web)", matches: false },
    { selector: "app notin (db)", matches: true },
    { selector: "nope notin (db)", matches: true },
    { selector: "nope in (db)", matches: false },
    { selector: "empty=", matches: true },
    { selector: "app=", matches: false },
    { selector: "a.com/x=1", matches: true },
    { selector: "a.com/x in(1)", matches: true },
    { selector: "a.com/x>0", matches: true },
    { selector: "a.com/x > 1", matches: false },
    { selector: "a.com/x<2,app", matches: true },
    { selector: "app>1", matches: false },
    { selector: "nope<1", matches: false },
    { selector: "app=web,", matches: true },
  ])("$selector: $matches", ({ selector, matches }) => {
    const requirements = parseLabelSelector(selector);
    expect(requirements).toBeDefined();
    expect(matchesLabels(labels, requirements ?? [])).toBe(matches);
  });

  test.each(["a=b=c", "=b", "a b", "a in b", "a in (b", "in (a)", "!", "-a=b", "a=!b", "a>b", "a<", "a>1>0"])(
    "%s is malformed",
    (text) => {
      expect(parseLabelSelector(text)).toBeUndefined();
    },
  );

  test("an object without labels meets what asks for none", () => {
    expect(matchesLabels(undefined, parseLabelSelector("!a,b!=c") ?? [])).toBe(true);
    expect(matchesLabels(undefined, parseLabelSelector("a") ?? [])).toBe(false);
  });

  test("a map of labels as text selects what has them", () => {
    const text = selectorText({ app: "web", tier: "front" });
    expect(matchesLabels(labels, parseLabelSelector(text) ?? [])).toBe(true);
    expect(matchesLabels({ app: "web" }, parseLabelSelector(text) ?? [])).toBe(false);
  });
});
