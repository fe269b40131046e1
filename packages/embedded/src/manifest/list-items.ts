import type { SourceDocument } from "./source-document.ts";

/**
 * The objects of a `kind: List`, as `kubectl get -o yaml` writes several, each as a document of its own that knows
 * where in the file it is; any other document is itself.
 */
export function listItems(document: SourceDocument): readonly SourceDocument[] {
  const items = itemsOf(document.value);
  if (items === undefined) return [document];
  return items.map((value, index) => {
    const prefix = `items[${index}]`;
    return {
      value,
      start: document.locate(prefix, "value"),
      locate: (path, at) => document.locate(path === "" ? prefix : `${prefix}.${path}`, at),
    };
  });
}

function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (Reflect.get(value, "kind") !== "List" || Reflect.get(value, "apiVersion") !== "v1") return undefined;
  const items: unknown = Reflect.get(value, "items");
  return Array.isArray(items) ? items : undefined;
}
