// What QuickJS lacks for the service: waiting on descriptors, sockets, children, signals. Nothing here decides anything.
// Functions return what they made, or the negative number of the error (errno(3)).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "quickjs.h"

#define FUNCTION(name) \
    static JSValue name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
#define MOST_WORDS 256

static JSValue outcome(JSContext *ctx, long result)
{
    return JS_NewInt32(ctx, result < 0 ? -errno : (int)result);
}

static int int_of(JSContext *ctx, JSValueConst value)
{
    int32_t number = 0;
    JS_ToInt32(ctx, &number, value);
    return number;
}

// The bytes of a Uint8Array, as long as nobody detaches them; null with an exception where it is none.
static uint8_t *bytes_of(JSContext *ctx, JSValueConst value, size_t *length)
{
    size_t offset, whole;
    JSValue buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, length, NULL);
    if (JS_IsException(buffer)) return NULL;
    uint8_t *bytes = JS_GetArrayBuffer(ctx, &whole, buffer);
    JS_FreeValue(ctx, buffer);
    return bytes ? bytes + offset : NULL;
}

// wait(polls, count, timeoutMs): polls holds struct pollfd; less than 0 ms waits for ever.
FUNCTION(js_wait)
{
    size_t length;
    double ms;
    uint8_t *polls = bytes_of(ctx, argv[0], &length);
    if (!polls || JS_ToFloat64(ctx, &ms, argv[2])) return JS_EXCEPTION;
    size_t count = int_of(ctx, argv[1]);
    if (count * sizeof(struct pollfd) > length) return JS_ThrowRangeError(ctx, "too few polls");
    struct timespec limit = { ms / 1000, (ms - 1000 * (double)(time_t)(ms / 1000)) * 1e6 };
    return outcome(ctx, ppoll((struct pollfd *)polls, count, ms < 0 ? NULL : &limit, NULL));
}

// Promises that were rejected while nobody listened, with their reasons.
static struct { JSValue promise, reason; } unheard[16];
static int unheard_count;

static void forget(JSContext *ctx, int at)
{
    JS_FreeValue(ctx, unheard[at].promise);
    JS_FreeValue(ctx, unheard[at].reason);
    unheard[at] = unheard[--unheard_count];
}

static void track(JSContext *ctx, JSValueConst promise, JSValueConst reason, JS_BOOL is_heard, void *opaque)
{
    if (!is_heard && unheard_count < 16) {
        unheard[unheard_count].promise = JS_DupValue(ctx, promise);
        unheard[unheard_count++].reason = JS_DupValue(ctx, reason);
    }
    for (int i = unheard_count - 1; is_heard && i >= 0; i--) {
        if (JS_VALUE_GET_PTR(unheard[i].promise) == JS_VALUE_GET_PTR(promise)) forget(ctx, i);
    }
}

// What promises have made due. One that was rejected and that nobody listens to by then is thrown: the process ends.
FUNCTION(js_run_jobs)
{
    JSContext *other;
    int result;
    while ((result = JS_ExecutePendingJob(JS_GetRuntime(ctx), &other)) > 0);
    if (result < 0) return JS_Throw(ctx, JS_GetException(other));
    if (unheard_count == 0) return JS_UNDEFINED;
    JSValue reason = JS_DupValue(ctx, unheard[0].reason);
    while (unheard_count > 0) forget(ctx, 0);
    return JS_Throw(ctx, reason);
}

FUNCTION(js_encode)
{
    size_t length;
    const char *text = JS_ToCStringLen(ctx, &length, argv[0]);
    if (!text) return JS_EXCEPTION;
    JSValue buffer = JS_NewArrayBufferCopy(ctx, (const uint8_t *)text, length);
    JS_FreeCString(ctx, text);
    return buffer;
}

FUNCTION(js_decode)
{
    size_t length;
    uint8_t *bytes = bytes_of(ctx, argv[0], &length);
    return bytes ? JS_NewStringLen(ctx, (const char *)bytes, length) : JS_EXCEPTION;
}

FUNCTION(js_read)
{
    size_t length;
    uint8_t *bytes = bytes_of(ctx, argv[1], &length);
    return bytes ? outcome(ctx, read(int_of(ctx, argv[0]), bytes, length)) : JS_EXCEPTION;
}

FUNCTION(js_write)
{
    size_t length;
    uint8_t *bytes = bytes_of(ctx, argv[1], &length);
    return bytes ? outcome(ctx, write(int_of(ctx, argv[0]), bytes, length)) : JS_EXCEPTION;
}

// The address in text with its port as a socket takes them; its length, or 0.
static socklen_t address_of(JSContext *ctx, JSValueConst text, int port, struct sockaddr_storage *to)
{
    struct sockaddr_in *v4 = (void *)to;
    struct sockaddr_in6 *v6 = (void *)to;
    const char *address = JS_ToCString(ctx, text);
    memset(to, 0, sizeof *to);
    socklen_t length = 0;
    if (address && inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        length = sizeof *v4;
    } else if (address && inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        length = sizeof *v6;
    }
    JS_FreeCString(ctx, address);
    if (!length) errno = EINVAL;
    return length;
}

static JSValue ready(JSContext *ctx, int fd, int is_done)
{
    int error = errno;
    if (is_done || fd < 0) return outcome(ctx, fd);
    close(fd);
    return JS_NewInt32(ctx, -error);
}

// udp(address, port, peer, peerPort, reuse); peer '' for none.
FUNCTION(js_udp)
{
    struct sockaddr_storage local, peer;
    socklen_t length = address_of(ctx, argv[0], int_of(ctx, argv[1]), &local);
    int on = int_of(ctx, argv[4]);
    if (!length) return outcome(ctx, -1);
    int fd = socket(local.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return outcome(ctx, fd);
    int bound = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0
        && bind(fd, (struct sockaddr *)&local, length) == 0;
    if (!bound || int_of(ctx, argv[3]) == 0) return ready(ctx, fd, bound);
    length = address_of(ctx, argv[2], int_of(ctx, argv[3]), &peer);
    return ready(ctx, fd, length && connect(fd, (struct sockaddr *)&peer, length) == 0);
}

// sendTo(fd, bytes, address, port)
FUNCTION(js_send_to)
{
    size_t length;
    struct sockaddr_storage to;
    uint8_t *bytes = bytes_of(ctx, argv[1], &length);
    if (!bytes) return JS_EXCEPTION;
    socklen_t size = address_of(ctx, argv[2], int_of(ctx, argv[3]), &to);
    if (!size) return outcome(ctx, -1);
    return outcome(ctx, sendto(int_of(ctx, argv[0]), bytes, length, 0, (struct sockaddr *)&to, size));
}

// receiveFrom(fd, bytes): [length, address, port], or an error's number
FUNCTION(js_receive_from)
{
    size_t length;
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    char text[INET6_ADDRSTRLEN] = "";
    uint8_t *bytes = bytes_of(ctx, argv[1], &length);
    if (!bytes) return JS_EXCEPTION;
    ssize_t got = recvfrom(int_of(ctx, argv[0]), bytes, length, 0, (struct sockaddr *)&from, &size);
    if (got < 0) return outcome(ctx, got);
    int is_v6 = from.ss_family == AF_INET6;
    struct sockaddr_in *v4 = (void *)&from;
    struct sockaddr_in6 *v6 = (void *)&from;
    inet_ntop(from.ss_family, is_v6 ? (void *)&v6->sin6_addr : &v4->sin_addr, text, sizeof text);
    JSValue found = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, found, 0, JS_NewInt32(ctx, got));
    JS_SetPropertyUint32(ctx, found, 1, JS_NewString(ctx, text));
    JS_SetPropertyUint32(ctx, found, 2, JS_NewInt32(ctx, ntohs(is_v6 ? v6->sin6_port : v4->sin_port)));
    return found;
}

// bufferBytes(fd, isSending, wanted): sets it where wanted is not 0; what the kernel made of it
FUNCTION(js_buffer_bytes)
{
    int fd = int_of(ctx, argv[0]), wanted = int_of(ctx, argv[2]), bytes = 0;
    int option = int_of(ctx, argv[1]) ? SO_SNDBUF : SO_RCVBUF;
    socklen_t size = sizeof bytes;
    if (wanted && setsockopt(fd, SOL_SOCKET, option, &wanted, sizeof wanted)) return outcome(ctx, -1);
    return outcome(ctx, getsockopt(fd, SOL_SOCKET, option, &bytes, &size) ? -1 : bytes);
}

// unix(path, listens): a path that begins with NUL is an abstract one
FUNCTION(js_unix)
{
    struct sockaddr_un where = { .sun_family = AF_UNIX };
    size_t length;
    const char *path = JS_ToCStringLen(ctx, &length, argv[0]);
    if (!path) return JS_EXCEPTION;
    int fits = length < sizeof where.sun_path;
    if (fits) memcpy(where.sun_path, path, length);
    JS_FreeCString(ctx, path);
    errno = ENAMETOOLONG;
    if (!fits) return outcome(ctx, -1);
    socklen_t size = offsetof(struct sockaddr_un, sun_path) + length + (where.sun_path[0] ? 1 : 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return outcome(ctx, fd);
    if (!int_of(ctx, argv[1])) return ready(ctx, fd, connect(fd, (struct sockaddr *)&where, size) == 0);
    return ready(ctx, fd, bind(fd, (struct sockaddr *)&where, size) == 0 && listen(fd, 64) == 0);
}

FUNCTION(js_accept)
{
    return outcome(ctx, accept4(int_of(ctx, argv[0]), NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

// Words of an array, ended by NULL; each is to be freed.
static void words_of(JSContext *ctx, JSValueConst array, char **words)
{
    int count = 0;
    for (; count < MOST_WORDS - 1; count++) {
        JSValue word = JS_GetPropertyUint32(ctx, array, count);
        const char *text = JS_IsString(word) ? JS_ToCString(ctx, word) : NULL;
        JS_FreeValue(ctx, word);
        if (!text) break;
        words[count] = strdup(text);
        JS_FreeCString(ctx, text);
    }
    words[count] = NULL;
}

static void free_words(char **words)
{
    for (; *words; words++) free(*words);
}

// In the child, to which nothing but its standard streams stays open; tells why the command could not be started.
static void become(char **words, char **environment, const int *ends, int report)
{
    sigset_t none;
    for (int fd = 0; fd < 3; fd++) dup2(ends[fd], fd);
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC: what this process was given itself */);
    execvpe(words[0], words, environment);
    int error = errno;
    if (write(report, &error, sizeof error) < 0) _exit(126);
    _exit(127);
}

// spawn(argv, environment): [pid, descriptor that is readable once it has ended, stdin, stdout, stderr], or an error's number
FUNCTION(js_spawn)
{
    char *words[MOST_WORDS], *environment[MOST_WORDS];
    int pipes[4][2], made = 0, error = 0, result[5];
    while (made < 4 && pipe2(pipes[made], O_CLOEXEC) == 0) made++;
    pid_t pid = -1;
    if (made == 4) {
        int ends[3] = { pipes[0][0], pipes[1][1], pipes[2][1] };
        words_of(ctx, argv[0], words);
        words_of(ctx, argv[1], environment);
        pid = fork();
        if (pid == 0) become(words, environment, ends, pipes[3][1]);
        error = pid < 0 ? errno : 0;
        free_words(words);
        free_words(environment);
        close(pipes[3][1]);
        if (pid > 0 && read(pipes[3][0], &error, sizeof error) > 0) waitpid(pid, NULL, 0);
        close(pipes[3][0]);
        for (int fd = 0; fd < 3; fd++) close(ends[fd]);
        result[2] = pipes[0][1], result[3] = pipes[1][0], result[4] = pipes[2][0];
        if (!error && (result[1] = syscall(SYS_pidfd_open, pid, 0)) < 0) {
            error = errno;
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        if (error) for (int i = 2; i < 5; i++) close(result[i]);
    } else {
        error = errno;
        while (made-- > 0) close(pipes[made][0]), close(pipes[made][1]);
    }
    if (error) return JS_NewInt32(ctx, -error);
    result[0] = pid;
    JSValue child = JS_NewArray(ctx);
    for (int i = 0; i < 5; i++) {
        if (i > 1) fcntl(result[i], F_SETFL, O_NONBLOCK);
        JS_SetPropertyUint32(ctx, child, i, JS_NewInt32(ctx, result[i]));
    }
    return child;
}

// reap(pid): its status, 256 and more for the signal that ended it, or an error's number
FUNCTION(js_reap)
{
    int status;
    pid_t pid = waitpid(int_of(ctx, argv[0]), &status, WNOHANG);
    if (pid <= 0) return outcome(ctx, pid);
    return JS_NewInt32(ctx, WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status));
}

// signals(numbers): a descriptor from which they are read, and they do nothing else any more
FUNCTION(js_signals)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < argc; i++) sigaddset(&set, int_of(ctx, argv[i]));
    sigprocmask(SIG_BLOCK, &set, NULL);
    return outcome(ctx, signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

// nextSignal(fd): its number, or an error's
FUNCTION(js_next_signal)
{
    struct signalfd_siginfo info;
    ssize_t got = read(int_of(ctx, argv[0]), &info, sizeof info);
    return outcome(ctx, got < 0 ? got : (long)info.ssi_signo);
}

// watch(folder): a descriptor that is readable whenever something in it changed
FUNCTION(js_watch)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    const char *path = JS_ToCString(ctx, argv[0]);
    int events = IN_ATTRIB | IN_CREATE | IN_MODIFY | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_MOVE;
    int is_done = path && fd >= 0 && inotify_add_watch(fd, path, events) >= 0;
    int error = errno;
    JS_FreeCString(ctx, path);
    errno = error;
    return ready(ctx, fd, is_done);
}

FUNCTION(js_set_mode)
{
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    int result = chmod(path, int_of(ctx, argv[1]));
    int error = errno;
    JS_FreeCString(ctx, path);
    return JS_NewInt32(ctx, result ? -error : 0);
}

FUNCTION(js_sync) { return outcome(ctx, fsync(int_of(ctx, argv[0]))); }
FUNCTION(js_user) { return JS_NewInt32(ctx, getuid()); }
FUNCTION(js_mask) { return JS_NewInt32(ctx, umask(int_of(ctx, argv[0]))); }
FUNCTION(js_priority) { return outcome(ctx, setpriority(PRIO_PROCESS, 0, int_of(ctx, argv[0]))); }
FUNCTION(js_unblock) { return outcome(ctx, fcntl(int_of(ctx, argv[0]), F_SETFL, O_NONBLOCK)); }

FUNCTION(js_random)
{
    size_t length;
    uint8_t *bytes = bytes_of(ctx, argv[0], &length);
    return bytes ? outcome(ctx, getrandom(bytes, length, 0)) : JS_EXCEPTION;
}

static int bits_of(const uint8_t *mask, int count)
{
    int bits = 0;
    while (bits < count * 8 && mask[bits / 8] & (0x80 >> bits % 8)) bits++;
    return bits;
}

// addresses(): netdev, address, bits of its network, one after the other; for a netdev itself its MAC and -1
FUNCTION(js_addresses)
{
    struct ifaddrs *all;
    uint32_t at = 0;
    if (getifaddrs(&all)) return outcome(ctx, -1);
    JSValue found = JS_NewArray(ctx);
    for (struct ifaddrs *one = all; one; one = one->ifa_next) {
        char text[INET6_ADDRSTRLEN] = "";
        int bits = -1, is_up = (one->ifa_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
        if (!one->ifa_addr || !is_up) continue;
        if (one->ifa_addr->sa_family == AF_INET) {
            inet_ntop(AF_INET, &((struct sockaddr_in *)one->ifa_addr)->sin_addr, text, sizeof text);
            bits = bits_of((uint8_t *)&((struct sockaddr_in *)one->ifa_netmask)->sin_addr, 4);
        } else if (one->ifa_addr->sa_family == AF_INET6) {
            inet_ntop(AF_INET6, &((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr, text, sizeof text);
            bits = bits_of((uint8_t *)&((struct sockaddr_in6 *)one->ifa_netmask)->sin6_addr, 16);
        } else if (one->ifa_addr->sa_family == AF_PACKET) {
            const uint8_t *mac = ((struct sockaddr_ll *)one->ifa_addr)->sll_addr;
            for (int i = 0; i < 6; i++) sprintf(text + 3 * i, i < 5 ? "%02x:" : "%02x", mac[i]);
        } else continue;
        JS_SetPropertyUint32(ctx, found, at++, JS_NewString(ctx, one->ifa_name));
        JS_SetPropertyUint32(ctx, found, at++, JS_NewString(ctx, text));
        JS_SetPropertyUint32(ctx, found, at++, JS_NewInt32(ctx, bits));
    }
    freeifaddrs(all);
    return found;
}

#define NUMBER(name) JS_PROP_INT32_DEF(#name, name, 0)

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("wait", 3, js_wait), JS_CFUNC_DEF("runJobs", 0, js_run_jobs),
    JS_CFUNC_DEF("encode", 1, js_encode), JS_CFUNC_DEF("decode", 1, js_decode),
    JS_CFUNC_DEF("read", 2, js_read), JS_CFUNC_DEF("write", 2, js_write),
    JS_CFUNC_DEF("udp", 5, js_udp), JS_CFUNC_DEF("sendTo", 4, js_send_to),
    JS_CFUNC_DEF("receiveFrom", 2, js_receive_from), JS_CFUNC_DEF("bufferBytes", 3, js_buffer_bytes),
    JS_CFUNC_DEF("unix", 2, js_unix), JS_CFUNC_DEF("accept", 1, js_accept),
    JS_CFUNC_DEF("spawn", 2, js_spawn), JS_CFUNC_DEF("reap", 1, js_reap),
    JS_CFUNC_DEF("signals", 0, js_signals), JS_CFUNC_DEF("nextSignal", 1, js_next_signal),
    JS_CFUNC_DEF("watch", 1, js_watch), JS_CFUNC_DEF("setMode", 2, js_set_mode),
    JS_CFUNC_DEF("sync", 1, js_sync), JS_CFUNC_DEF("user", 0, js_user),
    JS_CFUNC_DEF("mask", 1, js_mask), JS_CFUNC_DEF("priority", 1, js_priority),
    JS_CFUNC_DEF("unblock", 1, js_unblock), JS_CFUNC_DEF("random", 1, js_random),
    JS_CFUNC_DEF("addresses", 0, js_addresses),
    NUMBER(O_CLOEXEC), NUMBER(SIGHUP), NUMBER(SIGINT), NUMBER(SIGUSR2), NUMBER(SIGTERM), NUMBER(SIGKILL),
    // Those that somebody asks for by name, or a person may read.
    NUMBER(EACCES), NUMBER(EADDRINUSE), NUMBER(EADDRNOTAVAIL), NUMBER(EAGAIN), NUMBER(EBUSY), NUMBER(ECHILD),
    NUMBER(ECONNREFUSED), NUMBER(ECONNRESET), NUMBER(EEXIST), NUMBER(EHOSTUNREACH), NUMBER(EINTR), NUMBER(EINVAL),
    NUMBER(EIO), NUMBER(EISDIR), NUMBER(ELOOP), NUMBER(EMFILE), NUMBER(EMSGSIZE), NUMBER(ENAMETOOLONG),
    NUMBER(ENETDOWN), NUMBER(ENETUNREACH), NUMBER(ENOBUFS), NUMBER(ENODEV), NUMBER(ENOENT), NUMBER(ENOMEM),
    NUMBER(ENOSPC), NUMBER(ENOSYS), NUMBER(ENOTDIR), NUMBER(ENOTEMPTY), NUMBER(ENXIO), NUMBER(EPERM), NUMBER(EPIPE),
    NUMBER(EROFS), NUMBER(ESRCH), NUMBER(ETIMEDOUT),
};

static int init(JSContext *ctx, JSModuleDef *module)
{
    // Whoever reads from us may be gone: write(2) says so.
    signal(SIGPIPE, SIG_IGN);
    JS_SetHostPromiseRejectionTracker(JS_GetRuntime(ctx), track, NULL);
    return JS_SetModuleExportList(ctx, module, functions, sizeof functions / sizeof *functions);
}

JSModuleDef *js_init_module(JSContext *ctx, const char *name)
{
    JSModuleDef *module = JS_NewCModule(ctx, name, init);
    if (module) JS_AddModuleExportList(ctx, module, functions, sizeof functions / sizeof *functions);
    return module;
}
