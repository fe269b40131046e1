/** A revision's public Service, as a client reaches it. */
export interface ProbeTarget {
  readonly namespace: string;
  readonly serviceName: string;
  readonly port: number;
}

/** Asks through the path of a client whether a request for a revision meets an activator. K-69..K-72. */
export interface ActivatorProbe {
  /** `false`, or a rejection, means it is not confirmed. */
  isInPath(target: ProbeTarget): Promise<boolean>;
}
