// ubus status codes as named errors.

/** Code of each status, from ubus's ubusmsg.h, by its name there. */
export const statusCode = {
  OK: 0,
  INVALID_COMMAND: 1,
  INVALID_ARGUMENT: 2,
  METHOD_NOT_FOUND: 3,
  NOT_FOUND: 4,
  NO_DATA: 5,
  PERMISSION_DENIED: 6,
  TIMEOUT: 7,
  NOT_SUPPORTED: 8,
  UNKNOWN_ERROR: 9,
  CONNECTION_FAILED: 10,
  NO_MEMORY: 11,
  PARSE_ERROR: 12,
  SYSTEM_ERROR: 13,
} as const;

export type StatusName = keyof typeof statusCode;

const statusNames = Object.keys(statusCode) as StatusName[];

/** In the words of ubus_strerror. */
const statusTexts: Record<StatusName, string> = {
  OK: 'Success',
  INVALID_COMMAND: 'Invalid command',
  INVALID_ARGUMENT: 'Invalid argument',
  METHOD_NOT_FOUND: 'Method not found',
  NOT_FOUND: 'Not found',
  NO_DATA: 'No response',
  PERMISSION_DENIED: 'Permission denied',
  TIMEOUT: 'Request timed out',
  NOT_SUPPORTED: 'Operation not supported',
  UNKNOWN_ERROR: 'Unknown error',
  CONNECTION_FAILED: 'Connection failed',
  NO_MEMORY: 'Out of memory',
  PARSE_ERROR: 'Parsing message data failed',
  SYSTEM_ERROR: 'System error',
};

/** A request that did not succeed, or what a method's handler throws to answer with that status. */
export class UbusError extends Error {
  override name = 'UbusError';
  readonly status: StatusName;

  /** @param detail what was asked, put before the status in words */
  constructor(status: StatusName, detail = '') {
    super(detail === '' ? statusTexts[status] : `${detail}: ${statusTexts[status]}`);
    this.status = status;
  }

  get code(): number {
    return statusCode[this.status];
  }
}

/** The name of a code; codes newer than the list are unknown errors. */
export function statusName(code: number): StatusName {
  return statusNames[code] ?? 'UNKNOWN_ERROR';
}
