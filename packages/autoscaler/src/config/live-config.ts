import {
  type ConfigMap,
  ConfigMapKind,
  Informer,
  type InformerDeps,
  type Logger,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import {
  type AutoscalerConfig,
  defaultAutoscalerConfig,
  parseAutoscalerConfig,
} from "./autoscaler-config.ts";
import {
  type DeploymentConfig,
  defaultDeploymentConfig,
  parseDeploymentConfig,
} from "./deployment-config.ts";

export interface LiveConfigDeps extends InformerDeps {
  readonly log: Logger;
  /** Told when either configuration now says something else. */
  readonly onChange: () => void;
}

/**
 * `config-autoscaler` and `config-deployment` as they are now. An absent map means the defaults. One that is rejected
 * while running leaves the previous one in force; at start it is fatal. S-4..S-6.
 */
export class LiveConfig implements Disposable {
  readonly #deps: LiveConfigDeps;
  readonly #informer: Informer<ConfigMap>;
  #autoscaler = defaultAutoscalerConfig;
  #deployment = defaultDeploymentConfig;
  #rejected: readonly string[] = [];

  constructor(deps: LiveConfigDeps) {
    this.#deps = deps;
    this.#informer = new Informer(deps, ConfigMapKind, { namespace: SYSTEM_NAMESPACE }).handle({
      changed: ({ metadata, data }) => this.#take(metadata.name, data ?? {}),
      removed: ({ metadata }) => this.#take(metadata.name, {}),
    });
  }

  get autoscaler(): AutoscalerConfig {
    return this.#autoscaler;
  }

  get deployment(): DeploymentConfig {
    return this.#deployment;
  }

  /** @throws Error naming every problem, if a map is rejected at first load */
  async start(): Promise<void> {
    await this.#informer.start();
    if (this.#rejected.length > 0) throw new Error(`cannot start with ${this.#rejected.join("; ")}`);
  }

  [Symbol.dispose](): void {
    this.#informer[Symbol.dispose]();
  }

  #take(name: string, data: Readonly<Record<string, string>>): void {
    switch (name) {
      case "config-autoscaler": {
        const parsed = parseAutoscalerConfig(data);
        if (parsed.kind === "invalid") {
          this.#reject(name, parsed.problems);
          return;
        }
        this.#autoscaler = parsed.config;
        break;
      }
      case "config-deployment": {
        const parsed = parseDeploymentConfig(data);
        if (parsed === undefined) {
          this.#reject(name, ["progress-deadline: must be a duration above 0"]);
          return;
        }
        this.#deployment = parsed;
        break;
      }
      default:
        return;
    }
    if (this.#informer.isSynced) this.#deps.onChange();
  }

  #reject(name: string, problems: readonly string[]): void {
    if (!this.#informer.isSynced)
      this.#rejected = [...this.#rejected, ...problems.map((text) => `${name}: ${text}`)];
    this.#deps.log.error("configuration rejected, the previous one stays in force", {
      configMap: name,
      problems: problems.join("; "),
    });
  }
}
