// What a home's service answers on its own socket: what the bus has, and what commands need besides.

import type { ConfigStatus, ServiceApi } from '../../core/home/api.ts';
import { recordingS } from '../../core/home/recording.ts';
import type { Methods } from './local-api.ts';

export interface MoreAnswers {
  counters: () => unknown;
  configStatus: () => ConfigStatus;
}

export function homeMethods(service: ServiceApi, more: MoreAnswers): Methods {
  return {
    status: () => service.status(),
    history: () => service.history(),
    counters: more.counters,
    check: () => service.check(),
    reload: async () => {
      await service.reload();
      return more.configStatus();
    },
    audit: ({ seconds = recordingS.usual }) => service.audit({ seconds: readSeconds(seconds) }),
    audit_result: () => service.auditResult(),
    recommend: () => service.recommend(),
    profile_check: ({ text }) => service.validateProfile({ text: String(text) }),
    mend: ({ code }) => service.mend({ code: String(code) }),
    profile_store: ({ text }) => service.storeProfile({ text: String(text) }),
  };
}

function readSeconds(seconds: unknown): number {
  const { least, most } = recordingS;
  if (typeof seconds === 'number' && seconds >= least && seconds <= most) return seconds;
  throw new Error(`seconds: must be between ${least} and ${most}`);
}
