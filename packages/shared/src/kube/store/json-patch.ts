import { type JsonPatchOperation, KubeError } from "../client.ts";
import { isSameJson } from "./frozen-copy.ts";
import { isJsonMap } from "./stored-object.ts";

/**
 * RFC 6902. Works on values and returns a new one; what is untouched is shared with `document`. P-51.
 * @throws KubeError `Invalid` when the patch does not apply
 */
export function applyJsonPatch(document: unknown, operations: readonly JsonPatchOperation[]): unknown {
  return operations.reduce(applyOperation, document);
}

function applyOperation(document: unknown, operation: JsonPatchOperation): unknown {
  const path = pointer(operation.path);
  switch (operation.op) {
    case "add":
      return put(document, path, operation.value);
    case "replace":
      return put(remove(document, path), path, operation.value);
    case "remove":
      return remove(document, path);
    case "test":
      if (!isSameJson(read(document, path), operation.value)) throw notApplicable();
      return document;
    case "copy":
      return put(document, path, read(document, pointer(operation.from)));
    case "move": {
      const from = pointer(operation.from);
      return put(remove(document, from), path, read(document, from));
    }
    default:
      throw notApplicable(); // operations come from clients: one of another name is theirs
  }
}

function read(document: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, step) => {
    if (Array.isArray(value)) return value[indexOf(value, step, value.length - 1)];
    if (!isJsonMap(value) || !Object.hasOwn(value, step)) throw notApplicable();
    return value[step];
  }, document);
}

/** `document` with `value` at `path`: a list makes room for it, a map member is set. Its parent has to be there. */
function put(document: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(document)) {
    if (rest.length > 0) {
      const index = indexOf(document, step, document.length - 1);
      return document.with(index, put(document[index], rest, value));
    }
    const index = step === "-" ? document.length : indexOf(document, step, document.length);
    return document.toSpliced(index, 0, value);
  }
  if (!isJsonMap(document)) throw notApplicable();
  if (rest.length === 0) return { ...document, [step]: value };
  if (!Object.hasOwn(document, step)) throw notApplicable();
  return { ...document, [step]: put(document[step], rest, value) };
}

function remove(document: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return undefined;
  if (Array.isArray(document)) {
    const index = indexOf(document, step, document.length - 1);
    return rest.length === 0
      ? document.toSpliced(index, 1)
      : document.with(index, remove(document[index], rest));
  }
  if (!isJsonMap(document) || !Object.hasOwn(document, step)) throw notApplicable();
  if (rest.length > 0) return { ...document, [step]: remove(document[step], rest) };
  const { [step]: _, ...others } = document;
  return others;
}

/** RFC 6901. */
function pointer(text: unknown): readonly string[] {
  if (text === "") return [];
  if (typeof text !== "string" || !text.startsWith("/")) throw notApplicable();
  return text
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function indexOf(list: readonly unknown[], step: string, max: number): number {
  const index = /^(0|[1-9]\d{0,8})$/.test(step) ? Number(step) : -1;
  if (index < 0 || index > max || max > list.length) throw notApplicable();
  return index;
}

function notApplicable(): KubeError {
  return new KubeError("Invalid", "the server rejected our request due to an error in our request");
}
