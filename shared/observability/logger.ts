import { LogFormatter, Logger, LogItem } from '@aws-lambda-powertools/logger';
import type { LogAttributes, UnformattedAttributes } from '@aws-lambda-powertools/logger/types';

/** Maximum length of a chain of causes. */
const maxErrors = 10;

/** A process logs its memory at most once in this time, so that it costs hardly any log volume. */
const memoryIntervalMs = 300_000;

/** Powertools' format without `function_arn` and `function_memory_size`, which are half of a line: log volume costs money. */
class LeanLogFormatter extends LogFormatter {
  /** Since the start of the process. The logger is created at the end of the initialization. */
  private readonly initMs = Math.round(performance.now());
  private memoryLoggedAtMs = Number.NEGATIVE_INFINITY;

  /** Lambda's own report lines are switched off: they would double the log volume. */
  private memory(): LogAttributes {
    const nowMs = performance.now();
    if (nowMs - this.memoryLoggedAtMs < memoryIntervalMs) return {};
    this.memoryLoggedAtMs = nowMs;
    return {
      memory_used_mb: Math.ceil(process.resourceUsage().maxRSS / 1_024),
      memory_size_mb: Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE) || undefined,
    };
  }

  formatAttributes(attributes: UnformattedAttributes, more: LogAttributes): LogItem {
    const { lambdaContext } = attributes;
    return new LogItem({
      attributes: {
        level: attributes.logLevel,
        message: attributes.message,
        timestamp: this.formatTimestamp(attributes.timestamp),
        service: attributes.serviceName,
        function_name: lambdaContext?.functionName,
        function_request_id: lambdaContext?.awsRequestId,
        cold_start: lambdaContext?.coldStart,
        xray_trace_id: attributes.xRayTraceId,
        ...(lambdaContext?.coldStart && { init_ms: this.initMs }),
        ...(lambdaContext && this.memory()),
      },
    }).addAttributes(more);
  }

  /**
   * An error and its first causes, without their other properties: undici's errors, for example, contain the bytes of the
   * response that could not be read, which may be personal data. A repeated cause ends the chain.
   */
  override formatError(error: Error, shown: readonly Error[] = []): LogAttributes {
    const { name, message, stack, cause } = error;
    const chain = [...shown, error];
    const hasNext = cause instanceof Error && !chain.includes(cause) && chain.length < maxErrors;
    return {
      name,
      ...('code' in error && typeof error.code === 'string' && { code: error.code }),
      location: this.getCodeLocation(stack),
      message,
      stack,
      cause: hasNext ? this.formatError(cause, chain) : undefined,
    };
  }
}

/** The logger of a Lambda: one JSON line per event (docs/contracts/logs.md). `POWERTOOLS_SERVICE_NAME` sets `service`. */
export const createLogger = (config: { readonly STAGE: string; readonly SERVICE_VERSION: string }): Logger =>
  new Logger({
    logFormatter: new LeanLogFormatter(),
    persistentLogAttributes: { stage: config.STAGE, version: config.SERVICE_VERSION },
  });
