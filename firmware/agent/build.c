/*
 * build.c - the build time as a lower bound of all later time: SOURCE_DATE_EPOCH, given by the build as JOINBOOT_BUILD_EPOCH.
 */
#include "firmware/agent/agent.h"

#ifndef JOINBOOT_BUILD_EPOCH
#error "the build must give JOINBOOT_BUILD_EPOCH (seconds since 1970)"
#endif

int64_t agent_build_time(void)
{
    return JOINBOOT_BUILD_EPOCH;
}
