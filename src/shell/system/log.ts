// The service's log: one line an event.

/** Levels of syslog(3) that the service uses. */
export type Level = 'err' | 'warning' | 'notice' | 'info';

export type Log = (level: Level, text: string) => void;
