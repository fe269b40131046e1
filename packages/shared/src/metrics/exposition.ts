import type { Family } from "./family.ts";
import { type Labels, labelText } from "./labels.ts";

export const EXPOSITION_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Prometheus' text format. */
export function exposition(families: readonly Family[]): string {
  return families.map(familyText).join("");
}

function familyText(family: Family): string {
  const name = family.prometheusName;
  const scope: Labels = family.scope === "" ? [] : [["otel_scope_name", family.scope]];
  let text = "";
  if (family.kind === "histogram") {
    const { bounds } = family.histogram;
    for (const { labels, counts, sum, count } of family.histogram.all()) {
      const common = labelText([...labels, ...scope]);
      let below = 0;
      for (const [index, bound] of [...bounds].entries()) {
        below += counts[index] ?? 0;
        text += `${name}_bucket{${joined(common, `le="${bound}"`)}} ${below}\n`;
      }
      text += `${name}_bucket{${joined(common, 'le="+Inf"')}} ${count}\n`;
      text += `${name}_sum${braced(common)} ${numberText(sum)}\n${name}_count${braced(common)} ${count}\n`;
    }
  } else {
    for (const { labels, value } of family.read()) {
      text += `${name}${braced(labelText([...labels, ...scope]))} ${numberText(value)}\n`;
    }
  }
  return text === "" ? "" : `# HELP ${name} ${family.help}\n# TYPE ${name} ${family.kind}\n${text}`;
}

function joined(common: string, last: string): string {
  return common === "" ? last : `${common},${last}`;
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}
