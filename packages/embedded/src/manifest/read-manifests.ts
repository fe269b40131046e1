import {
  allKinds,
  apiVersion,
  type FieldError,
  KindRegistry,
  type KubeObject,
  validateMetadata,
} from "@rouse/shared";
import { defaultServing } from "../admission/default-serving.ts";
import { schemaOf } from "../admission/kind-schemas.ts";
import { prune } from "../admission/prune.ts";
import { checkShape, nearest, shown } from "../admission/schema.ts";
import { validateServing } from "../admission/validate-serving.ts";
import { isServing, withDirectory } from "./directory.ts";
import { listItems } from "./list-items.ts";
import type { ManifestError, ManifestFile, ManifestObject, Manifests } from "./manifest.ts";
import { type Position, parseDocuments, type SourceDocument } from "./source-document.ts";

const kinds = new KindRegistry();

export interface ReadOptions {
  /** For objects that name none. */
  readonly namespace?: string;
}

/**
 * The objects some files describe, in their order, and everything that is wrong with them. An object with an error is
 * not among the objects. Pure: the files are read already (`loadManifests` reads them).
 */
export function readManifests(files: readonly ManifestFile[], options: ReadOptions = {}): Manifests {
  const objects: ManifestObject[] = [];
  const errors: ManifestError[] = [];
  const seen = new Map<string, ManifestObject>();
  for (const file of files) {
    const read = readFile(file, options.namespace ?? "default");
    errors.push(...read.errors);
    for (const object of read.objects) {
      const { namespace = "", name } = object.object.metadata;
      const identity = `${apiVersion(object.kind)} ${object.kind.kind} ${namespace}/${name}`;
      const first = name === "" ? undefined : seen.get(identity);
      if (first === undefined) {
        seen.set(identity, object);
        objects.push(object);
      } else {
        const where = `${first.file}:${first.line}:${first.column}`;
        const message = `${object.kind.kind} ${JSON.stringify(name)} is described twice: first at ${where}`;
        errors.push({
          file: object.file,
          line: object.line,
          column: object.column,
          path: "metadata.name",
          message,
        });
      }
    }
  }
  return { objects, errors };
}

function readFile(file: ManifestFile, namespace: string): Manifests {
  const documents = parseDocuments(file.text, file.path.endsWith(".json") ? "json" : "yaml");
  const objects: ManifestObject[] = [];
  const errors: ManifestError[] = [];
  for (const parsed of documents) {
    if (parsed.kind === "faults") {
      for (const { line, column, message } of parsed.faults) {
        errors.push({ file: file.path, line, column, path: "", message });
      }
      continue;
    }
    for (const document of listItems(parsed.document)) {
      const read = readObject(document, { file, namespace });
      if (read.kind === "object") objects.push({ ...read.object, ...document.start, file: file.path });
      else errors.push(...read.findings.map((finding) => ({ file: file.path, ...finding })));
    }
  }
  if (documents.length === 0) {
    const message = "nothing in it: expected an object with apiVersion, kind and metadata";
    errors.push({ file: file.path, line: 1, column: 1, path: "", message });
  }
  return { objects, errors };
}

interface Located extends Position {
  readonly path: string;
  readonly message: string;
}

type ReadObject =
  | { readonly kind: "object"; readonly object: Pick<ManifestObject, "kind" | "object"> }
  | { readonly kind: "findings"; readonly findings: readonly Located[] };

function readObject(
  document: SourceDocument,
  context: { readonly file: ManifestFile; readonly namespace: string },
): ReadObject {
  const located = (path: string, message: string, at: "key" | "value" = "value"): Located => ({
    ...document.locate(path, at),
    path,
    message,
  });
  const { value } = document;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const message = `expected an object with apiVersion, kind and metadata, got ${shown(value)}`;
    return { kind: "findings", findings: [located("", message)] };
  }
  const identity = identityOf(value);
  const unidentified = identity.findings.map(({ path, message }) => located(path, message));
  if (identity.kind === undefined) return { kind: "findings", findings: unidentified };
  const schema = schemaOf(identity.kind);
  const shape = checkShape(value, schema);
  const shapeFindings = shape.map(({ path, message, at }) => located(path, message, at));
  // Without its misspelt fields it can be checked for everything else, too.
  if (!shape.every(({ message }) => message.startsWith("unknown field"))) {
    return { kind: "findings", findings: shapeFindings };
  }
  // Its shape has just been checked.
  const known = (shape.length === 0 ? value : prune(value, schema)) as KubeObject;
  const sent = withNamespace(known, identity.kind.isNamespaced ? context.namespace : undefined);
  // A name still to be generated is well by its prefix alone.
  const name = sent.metadata.name || (sent.metadata.generateName ? "generated" : undefined);
  const causes = validateMetadata(identity.kind, { ...sent.metadata, name });
  const fields = isServing(identity.kind)
    ? validateServing({ kind: identity.kind, object: defaultServing(identity.kind, sent), before: undefined })
    : [];
  // What is missing may be what is misspelt.
  const isCertain = ({ message }: FieldError): boolean =>
    shape.length === 0 || !message.startsWith("missing");
  const findings = [
    ...shapeFindings,
    ...causes.map(({ field = "", message }) => located(field, message)),
    ...fields.filter(isCertain).map(({ message, paths, details }) => ({
      ...located(paths[0] ?? "", details === undefined ? message : `${message} (${details})`),
      path: paths.join(", "),
    })),
  ].sort((a, b) => a.line - b.line || a.column - b.column);
  if (findings.length > 0) return { kind: "findings", findings };
  return {
    kind: "object",
    object: { kind: identity.kind, object: withDirectory(identity.kind, sent, context.file.directory) },
  };
}

/** The kind a manifest says it is of, or why that is none. */
function identityOf(value: object): {
  readonly kind: ReturnType<KindRegistry["of"]>;
  readonly findings: readonly { readonly path: string; readonly message: string }[];
} {
  const findings = (["apiVersion", "kind"] as const).flatMap((path) => {
    const text: unknown = Reflect.get(value, path);
    if (typeof text === "string" && text !== "") return [];
    if (text === undefined || text === null || text === "") {
      return [{ path, message: "missing: expected a string" }];
    }
    return [{ path, message: `expected a string, got ${shown(text)}` }];
  });
  if (findings.length > 0) return { kind: undefined, findings };
  const named = {
    apiVersion: String(Reflect.get(value, "apiVersion")),
    kind: String(Reflect.get(value, "kind")),
  };
  const kind = kinds.of(named);
  if (kind !== undefined) return { kind, findings };
  return { kind, findings: [unknownKind(named)] };
}

function unknownKind(named: { readonly apiVersion: string; readonly kind: string }): {
  readonly path: string;
  readonly message: string;
} {
  const sameKind = allKinds.filter(({ kind }) => kind === named.kind);
  if (sameKind.length > 0) {
    const versions = sameKind.map((kind) => JSON.stringify(apiVersion(kind))).join(" or ");
    const got = JSON.stringify(named.apiVersion);
    return { path: "apiVersion", message: `no ${named.kind} in ${got}: expected ${versions}` };
  }
  const sameVersion = allKinds
    .filter((kind) => apiVersion(kind) === named.apiVersion)
    .map(({ kind }) => kind);
  const near = nearest(named.kind, sameVersion.length > 0 ? sameVersion : allKinds.map(({ kind }) => kind));
  const guess = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
  const known = [...new Set(sameVersion.length > 0 ? sameVersion : allKinds.map(({ kind }) => kind))];
  const message = `unknown kind ${JSON.stringify(named.kind)}${guess === "" ? `: expected one of ${known.join(", ")}` : guess}`;
  return { path: "kind", message };
}

function withNamespace(object: KubeObject, namespace: string | undefined): KubeObject {
  if (namespace === undefined || object.metadata.namespace) return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}
