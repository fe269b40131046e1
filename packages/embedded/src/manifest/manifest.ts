import type { Kind, KubeObject } from "@rouse/shared";
import type { Position } from "./source-document.ts";

/** A file as it was read. */
export interface ManifestFile {
  /** As the user named it: for messages. */
  readonly path: string;
  /** Absolute: what relative paths in the manifest start from. */
  readonly directory: string;
  readonly text: string;
}

/** An object a file describes, checked, with its namespace filled in. */
export interface ManifestObject extends Position {
  readonly kind: Kind<KubeObject>;
  readonly object: KubeObject;
  readonly file: string;
}

/** Something wrong in a file. `path` is the field (`spec.template.spec.containers[0].command`), `""` for the whole. */
export interface ManifestError extends Position {
  readonly file: string;
  readonly path: string;
  readonly message: string;
}

export interface Manifests {
  readonly objects: readonly ManifestObject[];
  readonly errors: readonly ManifestError[];
}

/** `service.yaml:9:14: spec.template.spec.containers[0].command: expected a list of strings, got …` */
export function manifestErrorText({ file, line, column, path, message }: ManifestError): string {
  return `${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${message}`;
}
