/*
 * timekeeper.c - see timekeeper.h.
 */
#include "firmware/agent/timekeeper.h"

static void set(struct timekeeper *t, int64_t unix_s, uint64_t now_ms, enum time_quality quality)
{
    t->base_s = unix_s;
    t->base_ms = now_ms;
    t->quality = quality;
}

void timekeeper_init(struct timekeeper *t, int64_t floor_s, uint64_t now_ms)
{
    *t = (struct timekeeper){.floor_s = floor_s, .floor_ms = now_ms};
    set(t, floor_s, now_ms, TIME_FLOOR);
}

int64_t timekeeper_now(const struct timekeeper *t, uint64_t now_ms)
{
    return t->base_s + (int64_t)((now_ms - t->base_ms) / 1000);
}

int64_t timekeeper_least(const struct timekeeper *t, uint64_t now_ms)
{
    if (t->quality != TIME_HINT)
        return timekeeper_now(t, now_ms);
    return t->floor_s + (int64_t)((now_ms - t->floor_ms) / 1000);
}

void timekeeper_raise(struct timekeeper *t, int64_t floor_s, uint64_t now_ms)
{
    if (floor_s <= t->floor_s)
        return;
    t->floor_s = floor_s;
    t->floor_ms = now_ms;
    if (timekeeper_now(t, now_ms) < floor_s)
        set(t, floor_s, now_ms, t->quality == TIME_TRUSTED ? TIME_TRUSTED : TIME_FLOOR);
}

bool timekeeper_hint(struct timekeeper *t, int64_t unix_s, uint64_t now_ms)
{
    if (unix_s < t->floor_s || t->quality == TIME_TRUSTED || t->hint_dropped)
        return false;
    set(t, unix_s, now_ms, TIME_HINT);
    return true;
}

bool timekeeper_drop_hint(struct timekeeper *t, uint64_t now_ms)
{
    if (t->quality != TIME_HINT)
        return false;
    t->hint_dropped = true;
    set(t, t->floor_s, now_ms, TIME_FLOOR);
    return true;
}

bool timekeeper_trust(struct timekeeper *t, int64_t unix_s, uint64_t now_ms)
{
    if (unix_s < t->floor_s)
        return false;
    set(t, unix_s, now_ms, TIME_TRUSTED);
    return true;
}
