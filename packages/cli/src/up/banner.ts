/** What is said first: what this is, what it is not, and where it is. */
export function banner(about: {
  readonly version: string;
  readonly gateway: { readonly ip: string; readonly port: number; readonly tlsPort?: number };
  /** Where the authority is that vouches for the gateway's certificates. */
  readonly authorityPath: string;
  /** Absent: nothing is kept. */
  readonly stateDir: string | undefined;
  /** Path of the file kubectl needs. */
  readonly kubeconfig: string;
}): readonly string[] {
  const { ip, port, tlsPort } = about.gateway;
  return [
    `rouse ${about.version} on http://${ip}:${port}`,
    ...(tlsPort === undefined
      ? []
      : [`TLS on port ${tlsPort}; trust it with: curl --cacert ${about.authorityPath}`]),
    "Pods are plain processes of yours: nothing isolates their CPU, memory, files or network. Run what you trust.",
    about.stateDir === undefined
      ? "Nothing is kept when this ends (--ephemeral)."
      : `State is kept in ${about.stateDir}.`,
    "kubectl and kn find it with:",
    `    export KUBECONFIG=${about.kubeconfig}`,
    "Ctrl-C ends everything it started.",
  ];
}

/** How to call a service that has just been applied, before anything of it runs. */
export function serviceLines(service: { readonly name: string; readonly url: string }): readonly string[] {
  return ["", `${service.name}  ${service.url}`, `    curl ${service.url}`, ""];
}
