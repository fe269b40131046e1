const REFERENCE = /\$(\$|\(([^)]*)\))/g;

/**
 * `$(NAME)` in a container's `command`, `args` and `env` values, as Kubernetes expands it: a name that is not defined
 * stays as written, `$$` is a plain `$`, so `$$(NAME)` is never a reference.
 * Source: kubernetes third_party/forked/golang/expansion/expand.go.
 */
export function expandVariables(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(REFERENCE, (whole, after: string, name: string | undefined) =>
    after === "$" ? "$" : (variables.get(name ?? "") ?? whole),
  );
}
