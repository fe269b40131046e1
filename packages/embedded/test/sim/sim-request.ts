/** What the answer of a program that served the request has. */
export const SERVED = 200;

/** The fault that met a request where it ran, or where it waited for its turn beside a process. */
export type Harm = "crash" | "hang";

/** One client's request, and what became of it. */
export interface SimRequest {
  readonly id: string;
  readonly service: string;
  readonly sentAt: number;
  /** When an activator first had it; infinite while none has. */
  heldAt: number;
  /** When the first pod took it, and the last one: what could not be sent to one goes to another. */
  firstTakenAt: number;
  takenAt: number;
  /** Address of the pod that took it last. */
  takenBy: string;
  /** When a process began it; infinite while it waits for its turn beside one. */
  begunAt: number;
  /** 0: none. */
  status: number;
  /** The body, where a proxy wrote it. */
  text: string;
  endings: number;
  endedAt: number;
  harm: Harm | undefined;
  /** The client did not wait for the end. */
  hasLeft: boolean;
  /** The connection broke before the end of the answer. */
  wasCut: boolean;
}

export function newRequest(id: string, service: string, sentAt: number): SimRequest {
  return {
    id,
    service,
    sentAt,
    heldAt: Number.POSITIVE_INFINITY,
    firstTakenAt: Number.POSITIVE_INFINITY,
    takenAt: Number.POSITIVE_INFINITY,
    takenBy: "",
    begunAt: Number.POSITIVE_INFINITY,
    status: 0,
    text: "",
    endings: 0,
    endedAt: Number.POSITIVE_INFINITY,
    harm: undefined,
    hasLeft: false,
    wasCut: false,
  };
}

export function isServed({ status, wasCut }: SimRequest): boolean {
  return status === SERVED && !wasCut;
}
