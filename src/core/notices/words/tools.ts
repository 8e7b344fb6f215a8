// What the service says of audits and recommendations that it was asked for.

export const toolWords = {
  'audit-running': 'An audit is running already.',
  'audit-without-stream': 'An audit looks at the running stream; the service is not shaping now.',
  'audit-without-devices': 'None of the devices has been seen yet; wait until one is on.',
  'audit-not-made': 'The audit could not be made: {why}',
  'recommendation-not-made': 'There is no recommendation yet: {why}',
  'recommendation-none': 'No rate up to {most} KB/s delays your devices as little as asked.',
  'recommendation-basis':
    'For a mean delay of {mean} ms and none above {max} ms, from what your devices did since the service started.',
  'tool-silent': 'it ended without a word',
} as const;
