/* cli/child.c -- this program, run again beside itself. */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/machine.h"

enum { CHILD_ARGUMENTS = 600, CHILD_MOST = 1024, CHILD_LOST = 127 };

static const char child_self[] = "/proc/self/exe"; /* Linux's name for the running program */

/* The new process: whatever fails here is said where the parent reads. */
_Noreturn static void child_become(pid_t parent, int to, char *const argv[])
{
    int nothing = open("/dev/null", O_RDWR);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
        dup2(nothing, STDOUT_FILENO) >= 0 && dup2(to, STDERR_FILENO) >= 0)
        execv(child_self, argv);
    dprintf(to, "perdure: %s: cannot be run: %s\n", child_self, strerror(errno));
    _exit(CHILD_LOST);
}

pdr_rc pdi_child_start(pdi_child *c, const char *const argv[], pdr_error *err)
{
    int ends[2];
    char *copy[CHILD_ARGUMENTS + 2] = {(char *)(uintptr_t) "perdure"};
    size_t n = 0;
    for (; argv[n] && n < CHILD_ARGUMENTS; n++) copy[n + 1] = (char *)(uintptr_t)argv[n];
    *c = (pdi_child){.started = pdi_machine_seconds()};
    if (pipe(ends)) return pdi_fail(err, PDR_IO, "a run cannot be started: %s", strerror(errno));
    for (int k = 0; k < 2; k++) fcntl(ends[k], F_SETFD, FD_CLOEXEC);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fflush(NULL);
    pid_t parent = getpid();
    c->pid = fork();
    if (c->pid == 0) child_become(parent, ends[1], copy);
    int why = errno;
    close(ends[1]);
    c->from = ends[0];
    c->is_running = c->pid > 0;
    if (c->is_running) return PDR_OK;
    close(ends[0]);
    return pdi_fail(err, PDR_IO, "a run cannot be started: %s", strerror(why));
}

/* A whole line: progress, a failure's story, or words that tell how it goes. */
static void child_said(pdi_child *c)
{
    static const char wrong[] = "perdure: ";
    c->line[c->n] = 0;
    if (!strncmp(c->line, wrong, strlen(wrong)))
        snprintf(c->error, sizeof c->error, "%s", c->line + strlen(wrong));
    else if (c->n)
        snprintf(c->last, sizeof c->last, "%s", c->line + (c->line[0] == '\t'));
    c->n = 0;
}

static void child_end(pdi_child *c)
{
    int status = 0;
    if (c->n) child_said(c);
    close(c->from);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR) continue;
    c->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    c->is_running = false;
    c->ended = pdi_machine_seconds();
    if (WIFSIGNALED(status) && !c->error[0])
        snprintf(c->error, sizeof c->error, "ended by signal %d", WTERMSIG(status));
}

static void child_read(pdi_child *c)
{
    char bytes[4096];
    ssize_t n;
    while ((n = read(c->from, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < n; i++)
            if (bytes[i] == '\n')
                child_said(c);
            else if (c->n + 1 < sizeof c->line)
                c->line[c->n++] = bytes[i];
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) child_end(c);
}

void pdi_child_wait(size_t n, pdi_child *const child[], double seconds)
{
    struct pollfd fds[CHILD_MOST];
    pdi_child *of[CHILD_MOST];
    nfds_t used = 0;
    for (size_t i = 0; i < n && used < CHILD_MOST; i++) {
        if (!child[i]->is_running) continue;
        fds[used] = (struct pollfd){.fd = child[i]->from, .events = POLLIN};
        of[used++] = child[i];
    }
    if (poll(fds, used, (int)(1000 * seconds)) <= 0) return;
    for (nfds_t i = 0; i < used; i++)
        if (fds[i].revents) child_read(of[i]);
}

void pdi_child_stop(const pdi_child *c)
{
    if (c->is_running) kill(c->pid, SIGTERM);
}
