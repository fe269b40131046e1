import type { Report } from "./platform-world.ts";
import type { Scenario } from "./scenario.ts";

const LINES_MAX = 400;

/** What somebody has to read to understand a seed that failed. */
export function storyOf(scenario: Scenario, { history, violations }: Report): string {
  const left = history.length - LINES_MAX;
  return [
    `seed ${scenario.seed} ${JSON.stringify(scenario)}`,
    ...(left > 0 ? [`… ${left} lines before these`] : []),
    ...history.slice(-LINES_MAX),
    ...violations.map((violation) => `  violated: ${violation}`),
  ].join("\n");
}
