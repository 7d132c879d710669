/*
 * phase_images.c - images: the runtime is given the container images that the node image brings, so that a node needs no registry.
 *
 * The folder `images` of the site configuration holds archives (*.tar, OCI or docker). If it has a file SHA256SUMS, that is remembered beside the
 * runtime's data when all are imported, and they are not imported again while both are equal.
 */
#include "firmware/agent/handoff.h"
#include "firmware/agent/phases.h"

#define MARKER "/var/lib/containerd/joinboot-images"

enum { POLL_MS = 20 };

static enum step failed(struct agent *a, enum err e, const char *what)
{
    fault_set(&a->fault, e, "%s", what);
    return STEP_ERROR;
}

/* kubelet collects images that no pod uses when the disk fills up, but no pinned ones: without a registry they would be gone for ever. */
#define PINNED "io.cri-containerd.pinned=pinned"

/* Reads FOLDER/SHA256SUMS into a->file. */
static bool read_sums(struct agent *a)
{
    char path[SITE_TEXT_MAX + 16];
    struct buf b = BUF_OF(path);

    buf_fmt(&b, "%s/SHA256SUMS", a->site.images);
    a->file.n = 0;
    return a->host->read_file(a->host->ctx, path, a->file_mem, sizeof(a->file_mem), &a->file.n) == OK;
}

static bool are_imported(struct agent *a)
{
    size_t n = 0;

    return read_sums(a) &&
           a->host->read_file(a->host->ctx, MARKER, a->bundle_mem, sizeof(a->bundle_mem), &n) == OK &&
           span_eq(span_of(a->bundle_mem, n), buf_span(&a->file));
}

static enum step remember(struct agent *a)
{
    if (read_sums(a) && a->host->write_file(a->host->ctx, MARKER, 0644, buf_span(&a->file), &a->fault) != OK)
        return STEP_ERROR;
    return STEP_DONE;
}

static enum step start_import(struct agent *a, const char *name)
{
    char path[SITE_TEXT_MAX + 256], socket[256];
    const char *const argv[] = {"/usr/bin/ctr", "--address", socket,    "--namespace", "k8s.io", "images",
                                "import",       "--local",   "--label", PINNED,        path,     NULL};
    struct buf b = BUF_OF(path);

    buf_fmt(&b, "%s/%s", a->site.images, name);
    if (b.overflow || handoff_cri_path(a, socket, sizeof(socket)) != OK)
        return failed(a, ERR_IMAGES, "a path is too long");
    if (a->host->job_start(a->host->ctx, argv, &a->fault) != OK)
        return STEP_ERROR;
    a->at.mark_ms = a->now_ms;
    fault_peer(&a->fault, "%s", name);
    return phases_wait(a, POLL_MS);
}

/* at.sub: index of the next file, from 1 on; at.mark_ms: when the import under way began, 0: none is. */
static enum step next_import(struct agent *a)
{
    char name[256];

    for (;; a->at.sub++) {
        if (a->host->file_name(a->host->ctx, a->site.images, a->at.sub - 1, name, sizeof(name)) != OK)
            return remember(a);
        if (span_ends(span_str(name), ".tar"))
            return start_import(a, name);
    }
}

enum step images_step(struct agent *a)
{
    enum host_answer answer;

    if (a->at.sub == 0) {
        if (!a->site.images[0] || are_imported(a))
            return STEP_DONE;
        a->at.sub = 1;
    }
    if (a->at.mark_ms == 0)
        return next_import(a);
    answer = a->host->job_result(a->host->ctx);
    if (answer == HOST_BUSY)
        return phases_wait(a, POLL_MS);
    if (answer == HOST_NO) {
        handoff_tell_output(a, HOST_JOB);
        return failed(a, ERR_IMAGES, "ctr could not import it");
    }
    a->at.mark_ms = 0;
    a->at.sub++;
    return phases_wait(a, 0);
}

void images_report(struct agent *a)
{
    if (a->site.images[0])
        journal_num(&a->journal, "imported", a->at.sub ? a->at.sub - 1 : 0);
}
