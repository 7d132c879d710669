/*
 * standin.c - a small program in the place of the container runtime and of kubelet, for the lab's stand-in cluster. It is neither: it shows
 * what it was given and does the few things by which the agent sees that a kubelet has joined.
 *
 * Started as .../containerd: accepts connections on the CRI socket. Started as .../kubelet: prints its arguments, checks that its files are
 * there, writes kubelet.conf and a client certificate file as a bootstrapped kubelet has them, and answers /healthz on 127.0.0.1:10248.
 * STANDIN_FAIL=1 in the environment or a file /etc/standin-fail makes kubelet exit at once.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char socket_path[] = "/run/containerd/containerd.sock";

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static _Noreturn void serve(int fd, const char *answer)
{
    char request[1024];

    for (;;) {
        int c = accept(fd, NULL, NULL);

        if (c < 0)
            continue;
        if (answer) {
            ssize_t n = read(c, request, sizeof(request));

            if (n > 0 && write(c, answer, strlen(answer)) < 0)
                perror("write");
        }
        close(c);
    }
}

static _Noreturn void runtime(void)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    mkdir("/run", 0755);
    mkdir("/run/containerd", 0711);
    unlink(socket_path);
    memcpy(sa.sun_path, socket_path, sizeof(socket_path));
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 8) < 0)
        die(socket_path);
    printf("stand-in runtime: listens on %s\n", socket_path);
    fflush(stdout);
    serve(fd, NULL);
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        die(path);
    close(fd);
}

static void show(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        die(path);
    printf("stand-in kubelet: %s mode %04o, %lld bytes\n", path, (unsigned)(st.st_mode & 07777),
           (long long)st.st_size);
}

static int kubelet(int argc, char **argv)
{
    static const char *const files[] = {"/etc/kubernetes/bootstrap-kubelet.conf",
                                        "/etc/kubernetes/pki/ca.crt", "/var/lib/kubelet/config.yaml",
                                        "/var/lib/kubelet/instance-config.yaml",
                                        "/var/lib/kubelet/kubeadm-flags.env"};
    struct sockaddr_in sa = {
        .sin_family = AF_INET, .sin_port = htons(10248), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    printf("stand-in kubelet: this is no kubelet; it was given:\n");
    for (int i = 0; i < argc; i++)
        printf("stand-in kubelet: argv[%d] %s\n", i, argv[i]);
    fflush(stdout);
    if (getenv("STANDIN_FAIL") || access("/etc/standin-fail", F_OK) == 0) {
        fprintf(stderr, "stand-in kubelet: told to fail\n");
        return 1;
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        show(files[i]);
    mkdir("/var/lib/kubelet/pki", 0755);
    put("/var/lib/kubelet/pki/kubelet-client-current.pem", "stand-in\n");
    put("/etc/kubernetes/kubelet.conf", "# written by the lab's stand-in kubelet\n");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 8) < 0)
        die("127.0.0.1:10248");
    fflush(stdout);
    serve(fd,
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/');

    signal(SIGPIPE, SIG_IGN);
    name = name ? name + 1 : argv[0];
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("Kubernetes v1.35.0"); /* goes with a cluster of every supported minor */
        return 0;
    }
    if (strstr(name, "kubelet"))
        return kubelet(argc, argv);
    runtime();
}
