import { type Data, SettingsError } from "./read-value.ts";

/** One domain of config-domain; an empty selector is a catch-all. C-157. */
export interface Domain {
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
}

/** @throws SettingsError for a value that is no selector */
export function parseDomains(data: Data): readonly Domain[] {
  return Object.entries(data)
    .filter(([name]) => name !== "_example")
    .map(([name, value]) => ({ name, selector: parseSelector(name, value) }));
}

/**
 * The domain for an object with `labels`: among the entries whose selector is contained in them the one that says
 * most, then the smallest name; without any, `fallback`. C-73.
 */
export function domainFor(
  domains: readonly Domain[],
  labels: Readonly<Record<string, string>>,
  fallback: string,
): string {
  const [best] = domains
    .filter(({ selector }) => Object.entries(selector).every(([key, value]) => labels[key] === value))
    .sort(
      (a, b) => Object.keys(b.selector).length - Object.keys(a.selector).length || (a.name < b.name ? -1 : 1),
    );
  return best?.name ?? fallback;
}

const LINE = /^(\s*)(["']?)([^"':\s]+)\2\s*:\s*(["']?)([^"'#]*?)\4\s*(?:#.*)?$/;

/**
 * Reads the only YAML this ConfigMap needs: `selector:` over indented `key: value` lines, and a `type:` nobody reads.
 * A whole YAML reader would be a dependency for two levels of plain scalars.
 */
function parseSelector(domain: string, text: string): Readonly<Record<string, string>> {
  const selector: Record<string, string> = {};
  let isInSelector = false;
  for (const line of text.split("\n")) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const [, indent = "", , key = "", , value = ""] = LINE.exec(line) ?? refuse(domain, line);
    if (indent === "") {
      if (key !== "selector" && key !== "type") refuse(domain, line);
      isInSelector = key === "selector";
      if (isInSelector && value !== "" && value !== "{}") refuse(domain, line);
    } else if (isInSelector) {
      selector[key] = value;
    } else {
      refuse(domain, line);
    }
  }
  return selector;
}

function refuse(domain: string, line: string): never {
  throw new SettingsError(`config-domain: ${domain}: expected "selector:" with labels, got "${line.trim()}"`);
}
