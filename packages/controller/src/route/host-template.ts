/** What a host template may name. C-76. */
export interface TemplateValues {
  readonly Name: string;
  readonly Namespace: string;
  readonly Domain: string;
  readonly Tag: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Annotations: Readonly<Record<string, string>>;
}

const ACTION = /\{\{-?\s*(.*?)\s*-?\}\}/g;
const FIELD = /^\.(Name|Namespace|Domain|Tag)$/;
const INDEX = /^index\s+\.(Labels|Annotations)\s+"([^"]*)"$/;

/**
 * Fills a template of config-network: text, the fields, and `index` into labels and annotations, where an absent key
 * is empty. The whole of Go's language is not needed for a host name. C-77.
 * @throws Error naming what it does not know
 */
export function fillTemplate(template: string, values: Partial<TemplateValues>): string {
  return template.replaceAll(ACTION, (_, action: string) => {
    const field = FIELD.exec(action)?.[1];
    if (field === "Name" || field === "Namespace" || field === "Domain" || field === "Tag") {
      return values[field] ?? "";
    }
    const [, map, key = ""] = INDEX.exec(action) ?? [];
    if (map === "Labels" || map === "Annotations") return values[map]?.[key] ?? "";
    throw new Error(`host template: cannot evaluate "{{${action}}}"`);
  });
}
