// How long an audit may record, whoever asks for it.

/** Seconds: fewer tell nothing, more than a day nobody waits for. */
export const recordingS = { least: 10, usual: 600, most: 86_400 };
