import type { Container, KubeClient, ObjectKey, Pod, Stored } from "@rouse/shared";
import { type InitContainer, InitContainers } from "./init-containers.ts";
import type { OutputRing } from "./output-ring.ts";
import type { PodProcessDeps } from "./pod-process.ts";
import { loadSources, noSources, type PodSources, refersToSources } from "./pod-sources.ts";
import { planVolumes, removeVolumes, volumesDirectory, writeVolumes } from "./pod-volumes.ts";
import type { ProgramPlan } from "./program.ts";

/** Why a program does not start. `isFinal`: trying again is no use. */
export interface Obstruction {
  readonly isFinal: boolean;
  readonly reason: string;
  readonly message: string;
}

export interface PodPreparationDeps extends PodProcessDeps {
  readonly client: KubeClient;
  readonly dataDirectory: string;
}

export interface PodPreparationOptions {
  readonly key: ObjectKey;
  readonly pod: Stored<Pod>;
  readonly output: (container: string) => OutputRing;
  readonly plan: (container: Container) => ProgramPlan;
  readonly changed: () => void;
}

/** What has to be read, written and run before a pod's programs: ConfigMaps and Secrets, volumes, init containers. */
export class PodPreparation {
  readonly #deps: PodPreparationDeps;
  readonly #pod: Stored<Pod>;
  readonly #directory: string;
  readonly #inits: InitContainers;
  #sources: PodSources = noSources;
  #volumes: ReadonlyMap<string, string> = new Map();
  #isClosed = false;

  constructor(deps: PodPreparationDeps, { key, pod, output, plan, changed }: PodPreparationOptions) {
    this.#deps = deps;
    this.#pod = pod;
    this.#directory = volumesDirectory(deps.dataDirectory, pod);
    this.#inits = new InitContainers(deps, {
      pod: key,
      containers: (pod.spec.initContainers ?? []).map((container) => ({
        container,
        output: output(container.name),
      })),
      plan,
      changed,
    });
  }

  /** Whether there is anything to wait for; most pods need nothing, and start in the turn they are seen in. */
  get isNeeded(): boolean {
    const hasVolumes = (this.#pod.spec.volumes ?? []).length > 0;
    return refersToSources(this.#pod) || hasVolumes || !this.#inits.areDone;
  }

  get sources(): PodSources {
    return this.#sources;
  }

  /** Paths by name. */
  get volumes(): ReadonlyMap<string, string> {
    return this.#volumes;
  }

  get inits(): readonly InitContainer[] {
    return this.#inits.all;
  }

  get areInitsDone(): boolean {
    return this.#inits.areDone;
  }

  get pid(): number | undefined {
    return this.#inits.pid;
  }

  /** Everything as it is now, also before a restart. Returns what is in the way; never rejects. */
  async run(): Promise<Obstruction | undefined> {
    try {
      this.#sources = await loadSources(this.#deps.client, this.#pod);
      const plan = planVolumes(this.#pod, this.#sources, this.#directory);
      if (plan.kind === "missing") return configError(plan);
      await writeVolumes(plan.volumes);
      this.#volumes = new Map(plan.volumes.map(({ name, directory }) => [name, directory]));
    } catch (error) {
      return configError({ isFinal: false, message: error instanceof Error ? error.message : String(error) });
    }
    if (this.#isClosed) return undefined;
    const outcome = await this.#inits.run();
    return outcome.kind === "done" ? undefined : outcome;
  }

  /** Ends what runs, by force after `graceMs`. Volumes stay. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    await this.#inits.close(graceMs);
  }

  async removeVolumes(): Promise<void> {
    if (this.#volumes.size > 0) await removeVolumes(this.#directory);
  }
}

function configError({ isFinal, message }: Pick<Obstruction, "isFinal" | "message">): Obstruction {
  return { isFinal, message, reason: "CreateContainerConfigError" };
}
