import { byNumber, type RequirementNumber } from "./numbers.ts";
import type { Requirements } from "./requirements.ts";
import { type Spec, specOf } from "./specs.ts";
import type { NamedTest } from "./test-names.ts";

/** Why a requirement has no test here, by number. Written by hand in `docs/conformance/<spec>.reasons.json`. */
export type Reasons = Readonly<Record<RequirementNumber, string>>;

/** The page `docs/conformance/<spec>.md`: each requirement with the tests that name it, the reason there is none, or "not yet". */
export function conformancePage(
  spec: Spec,
  from: {
    readonly requirements: Requirements;
    readonly reasons: Reasons;
    readonly tests: readonly NamedTest[];
  },
): string {
  const tests = testsByNumber(spec, from.tests);
  const numbers = Object.keys(from.requirements);
  const isTested = (number: string): boolean => tests.has(number);
  const isExplained = (number: string): boolean => !isTested(number) && from.reasons[number] !== undefined;
  const tested = numbers.filter(isTested).length;
  const explained = numbers.filter(isExplained).length;
  const unknown = [...tests.keys(), ...Object.keys(from.reasons)].filter(
    (number) => from.requirements[number] === undefined,
  );
  return [
    `# Conformance: ${spec.name}`,
    "",
    `Made by \`pnpm conformance\` from the names of tests and from \`${spec.name}.reasons.json\`.`,
    "",
    `${numbers.length} requirements: ${tested} tested, ${explained} without a test for a reason, ${numbers.length - tested - explained} not yet.`,
    "",
    "| requirement | what | tests, or why there is none |",
    "| --- | --- | --- |",
    ...numbers.map((number) => {
      const cells = [
        ...(tests.get(number) ?? []),
        ...(from.reasons[number] === undefined ? [] : [from.reasons[number]]),
      ];
      const shown = cells.length === 0 ? "not yet" : cells.map(inCell).join("<br>");
      return `| ${number} | ${inCell(from.requirements[number] ?? "")} | ${shown} |`;
    }),
    ...(unknown.length === 0
      ? []
      : ["", `Named here, but not in the contract: ${[...new Set(unknown)].sort(byNumber).join(", ")}.`]),
    "",
  ].join("\n");
}

function testsByNumber(
  spec: Spec,
  tests: readonly NamedTest[],
): ReadonlyMap<RequirementNumber, readonly string[]> {
  const found = new Map<RequirementNumber, string[]>();
  for (const { path, name, numbers } of tests) {
    for (const number of numbers) {
      if (specOf(number, path)?.name !== spec.name) continue;
      found.set(number, [...(found.get(number) ?? []), `${path.replace(/^packages\//, "")}: ${name}`]);
    }
  }
  return found;
}

const inCell = (text: string): string =>
  text.replaceAll("|", "\\|").replaceAll(/[<>]/g, (c) => (c === "<" ? "&lt;" : "&gt;"));
