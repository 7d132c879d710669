/*
 * kubeletcfg_fields.c - KubeletConfiguration v1beta1 of Kubernetes 1.35 to 1.37 (k8s.io/kubelet/config/v1beta1/types.go, with logging
 * from component-base/logs/api/v1, tracing from component-base/tracing/api/v1, Taint and ResourceList from api/core/v1).
 */
#include "firmware/kube/kubeletcfg_fields.h"

static const struct field x509_rows[] = {
    {.name = "clientCAFile", .type = FIELD_STRING, .rule = RULE_OMIT, .preset = PRESET_CLIENT_CA},
};
static const struct field_table x509 = {x509_rows, COUNT(x509_rows)};

static const struct field authentication_webhook_rows[] = {
    {.name = "cacheTTL", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "enabled", .type = FIELD_BOOL, .rule = RULE_POINTER, .preset = PRESET_TRUE},
};
static const struct field_table authentication_webhook = {authentication_webhook_rows,
                                                          COUNT(authentication_webhook_rows)};

static const struct field anonymous_rows[] = {
    {.name = "enabled", .type = FIELD_BOOL, .rule = RULE_POINTER, .preset = PRESET_FALSE},
};
static const struct field_table anonymous = {anonymous_rows, COUNT(anonymous_rows)};

static const struct field authentication_rows[] = {
    {.name = "anonymous", .type = FIELD_STRUCT, .rule = RULE_ALWAYS, .sub = &anonymous},
    {.name = "webhook", .type = FIELD_STRUCT, .rule = RULE_ALWAYS, .sub = &authentication_webhook},
    {.name = "x509", .type = FIELD_STRUCT, .rule = RULE_ALWAYS, .sub = &x509},
};
static const struct field_table authentication = {authentication_rows, COUNT(authentication_rows)};

static const struct field authorization_webhook_rows[] = {
    {.name = "cacheAuthorizedTTL", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "cacheUnauthorizedTTL", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
};
static const struct field_table authorization_webhook = {authorization_webhook_rows,
                                                         COUNT(authorization_webhook_rows)};

static const struct field authorization_rows[] = {
    {.name = "mode", .type = FIELD_STRING, .rule = RULE_OMIT, .preset = PRESET_AUTHORIZATION},
    {.name = "webhook", .type = FIELD_STRUCT, .rule = RULE_ALWAYS, .sub = &authorization_webhook},
};
static const struct field_table authorization = {authorization_rows, COUNT(authorization_rows)};

static const struct field memory_swap_rows[] = {
    {.name = "swapBehavior", .type = FIELD_STRING, .rule = RULE_OMIT},
};
static const struct field_table memory_swap = {memory_swap_rows, COUNT(memory_swap_rows)};

static const struct field crash_loop_rows[] = {
    {.name = "maxContainerRestartPeriod", .type = FIELD_DURATION, .rule = RULE_POINTER},
};
static const struct field_table crash_loop = {crash_loop_rows, COUNT(crash_loop_rows)};

static const struct field routing_rows[] = {
    {.name = "infoBufferSize", .type = FIELD_QUANTITY, .rule = RULE_ALWAYS},
    {.name = "splitStream", .type = FIELD_BOOL, .rule = RULE_OMIT},
};
static const struct field_table routing = {routing_rows, COUNT(routing_rows)};

static const struct field log_options_rows[] = {
    {.name = "json", .type = FIELD_STRUCT, .rule = RULE_ALWAYS, .sub = &routing},
    {.name = "text", .type = FIELD_STRUCT, .rule = RULE_ALWAYS, .sub = &routing},
};
static const struct field_table log_options = {log_options_rows, COUNT(log_options_rows)};

static const struct field vmodule_rows[] = {
    {.name = "filePattern", .type = FIELD_STRING, .rule = RULE_ALWAYS},
    {.name = "verbosity", .type = FIELD_U32, .rule = RULE_ALWAYS},
};
static const struct field_table vmodule = {vmodule_rows, COUNT(vmodule_rows)};

static const struct field logging_rows[] = {
    {.name = "flushFrequency", .type = FIELD_FLUSH, .rule = RULE_ALWAYS},
    {.name = "format", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "options", .type = FIELD_STRUCT, .rule = RULE_ALWAYS, .sub = &log_options},
    {.name = "verbosity", .type = FIELD_U32, .rule = RULE_ALWAYS},
    {.name = "vmodule", .type = FIELD_STRUCTS, .rule = RULE_OMIT, .sub = &vmodule},
};
static const struct field_table logging = {logging_rows, COUNT(logging_rows)};

static const struct field tracing_rows[] = {
    {.name = "endpoint", .type = FIELD_STRING, .rule = RULE_POINTER},
    {.name = "samplingRatePerMillion", .type = FIELD_I32, .rule = RULE_POINTER},
};
static const struct field_table tracing = {tracing_rows, COUNT(tracing_rows)};

static const struct field user_namespaces_rows[] = {
    {.name = "idsPerPod", .type = FIELD_I64, .rule = RULE_POINTER},
};
static const struct field_table user_namespaces = {user_namespaces_rows, COUNT(user_namespaces_rows)};

static const struct field shutdown_by_priority_rows[] = {
    {.name = "priority", .type = FIELD_I32, .rule = RULE_ALWAYS},
    {.name = "shutdownGracePeriodSeconds", .type = FIELD_I64, .rule = RULE_ALWAYS},
};
static const struct field_table shutdown_by_priority = {shutdown_by_priority_rows,
                                                        COUNT(shutdown_by_priority_rows)};

static const struct field reserved_memory_rows[] = {
    {.name = "limits", .type = FIELD_MAP_QUANTITY, .rule = RULE_ALWAYS},
    {.name = "numaNode", .type = FIELD_I32, .rule = RULE_ALWAYS},
};
static const struct field_table reserved_memory = {reserved_memory_rows, COUNT(reserved_memory_rows)};

static const struct field taint_rows[] = {
    {.name = "effect", .type = FIELD_STRING, .rule = RULE_ALWAYS},
    {.name = "key", .type = FIELD_STRING, .rule = RULE_ALWAYS},
    {.name = "timeAdded", .type = FIELD_UNSUPPORTED, .rule = RULE_POINTER},
    {.name = "value", .type = FIELD_STRING, .rule = RULE_OMIT},
};
static const struct field_table taint = {taint_rows, COUNT(taint_rows)};

static const struct field kubelet_rows[] = {
    {.name = "address", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "allowedUnsafeSysctls", .type = FIELD_STRINGS, .rule = RULE_OMIT},
    {.name = "apiVersion",
     .type = FIELD_STRING,
     .rule = RULE_ALWAYS,
     .preset = PRESET_API_VERSION,
     .forced = true},
    {.name = "authentication", .type = FIELD_STRUCT, .rule = RULE_ALWAYS, .sub = &authentication},
    {.name = "authorization", .type = FIELD_STRUCT, .rule = RULE_ALWAYS, .sub = &authorization},
    {.name = "cgroupDriver", .type = FIELD_STRING, .rule = RULE_OMIT, .preset = PRESET_CGROUP_DRIVER},
    {.name = "cgroupRoot", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "cgroupsPerQOS", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "clusterDNS", .type = FIELD_STRINGS, .rule = RULE_OMIT, .preset = PRESET_CLUSTER_DNS},
    {.name = "clusterDomain", .type = FIELD_STRING, .rule = RULE_OMIT, .preset = PRESET_CLUSTER_DOMAIN},
    {.name = "configMapAndSecretChangeDetectionStrategy", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "containerLogMaxFiles", .type = FIELD_I32, .rule = RULE_POINTER},
    {.name = "containerLogMaxSize", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "containerLogMaxWorkers", .type = FIELD_I32, .rule = RULE_POINTER},
    {.name = "containerLogMonitorInterval", .type = FIELD_DURATION, .rule = RULE_POINTER},
    {.name = "containerRuntimeEndpoint",
     .type = FIELD_STRING,
     .rule = RULE_ALWAYS,
     .preset = PRESET_RUNTIME_ENDPOINT,
     .forced = true},
    {.name = "contentType", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "cpuCFSQuota", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "cpuCFSQuotaPeriod", .type = FIELD_DURATION, .rule = RULE_POINTER},
    {.name = "cpuManagerPolicy", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "cpuManagerPolicyOptions", .type = FIELD_MAP_STRING, .rule = RULE_OMIT},
    {.name = "cpuManagerReconcilePeriod", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "crashLoopBackOff", .type = FIELD_STRUCT, .rule = RULE_ALWAYS, .sub = &crash_loop},
    {.name = "defaultPodSysctls", .type = FIELD_MAP_STRING, .rule = RULE_OMIT, .since = 37},
    {.name = "enableContentionProfiling", .type = FIELD_BOOL, .rule = RULE_OMIT},
    {.name = "enableControllerAttachDetach", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "enableDebugFlagsHandler", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "enableDebuggingHandlers", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "enableProfilingHandler", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "enableServer", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "enableSystemLogHandler", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "enableSystemLogQuery", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "enforceNodeAllocatable", .type = FIELD_STRINGS, .rule = RULE_OMIT},
    {.name = "eventBurst", .type = FIELD_I32, .rule = RULE_OMIT},
    {.name = "eventRecordQPS", .type = FIELD_I32, .rule = RULE_POINTER},
    {.name = "evictionHard", .type = FIELD_MAP_STRING, .rule = RULE_OMIT},
    {.name = "evictionMaxPodGracePeriod", .type = FIELD_I32, .rule = RULE_OMIT},
    {.name = "evictionMinimumReclaim", .type = FIELD_MAP_STRING, .rule = RULE_OMIT},
    {.name = "evictionPressureTransitionPeriod", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "evictionSoft", .type = FIELD_MAP_STRING, .rule = RULE_OMIT},
    {.name = "evictionSoftGracePeriod", .type = FIELD_MAP_STRING, .rule = RULE_OMIT},
    {.name = "failCgroupV1", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "failSwapOn", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "featureGates", .type = FIELD_MAP_BOOL, .rule = RULE_OMIT},
    {.name = "fileCheckFrequency", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "hairpinMode", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "healthzBindAddress", .type = FIELD_STRING, .rule = RULE_OMIT, .preset = PRESET_HEALTHZ_ADDRESS},
    {.name = "healthzPort", .type = FIELD_I32, .rule = RULE_POINTER, .preset = PRESET_HEALTHZ_PORT},
    {.name = "httpCheckFrequency", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "imageGCHighThresholdPercent", .type = FIELD_I32, .rule = RULE_POINTER},
    {.name = "imageGCLowThresholdPercent", .type = FIELD_I32, .rule = RULE_POINTER},
    {.name = "imageMaximumGCAge", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "imageMinimumGCAge", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "imagePullCredentialsVerificationPolicy", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "imageServiceEndpoint", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "iptablesDropBit", .type = FIELD_I32, .rule = RULE_POINTER},
    {.name = "iptablesMasqueradeBit", .type = FIELD_I32, .rule = RULE_POINTER},
    {.name = "kernelMemcgNotification", .type = FIELD_BOOL, .rule = RULE_OMIT},
    {.name = "kind", .type = FIELD_STRING, .rule = RULE_ALWAYS, .preset = PRESET_KIND, .forced = true},
    {.name = "kubeAPIBurst", .type = FIELD_I32, .rule = RULE_OMIT},
    {.name = "kubeAPIQPS", .type = FIELD_I32, .rule = RULE_POINTER},
    {.name = "kubeReserved", .type = FIELD_MAP_STRING, .rule = RULE_OMIT},
    {.name = "kubeReservedCgroup", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "kubeletCgroups", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "localStorageCapacityIsolation", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "logging", .type = FIELD_STRUCT, .rule = RULE_ALWAYS, .sub = &logging},
    {.name = "makeIPTablesUtilChains", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "maxOpenFiles", .type = FIELD_I64, .rule = RULE_OMIT},
    {.name = "maxParallelImagePulls", .type = FIELD_I32, .rule = RULE_POINTER},
    {.name = "maxPods", .type = FIELD_I32, .rule = RULE_OMIT},
    {.name = "memoryManagerPolicy", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "memoryReservationPolicy", .type = FIELD_STRING, .rule = RULE_OMIT, .since = 36},
    {.name = "memorySwap", .type = FIELD_STRUCT, .rule = RULE_ALWAYS, .sub = &memory_swap},
    {.name = "memoryThrottlingFactor", .type = FIELD_FLOAT, .rule = RULE_POINTER},
    {.name = "mergeDefaultEvictionSettings", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "nodeLeaseDurationSeconds", .type = FIELD_I32, .rule = RULE_OMIT},
    {.name = "nodeStatusMaxImages", .type = FIELD_I32, .rule = RULE_POINTER},
    {.name = "nodeStatusReportFrequency", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "nodeStatusUpdateFrequency", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "oomScoreAdj", .type = FIELD_I32, .rule = RULE_POINTER},
    {.name = "podCIDR", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "podLogsDir", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "podPidsLimit", .type = FIELD_I64, .rule = RULE_POINTER},
    {.name = "podsPerCore", .type = FIELD_I32, .rule = RULE_OMIT},
    {.name = "port", .type = FIELD_I32, .rule = RULE_OMIT},
    {.name = "preloadedImagesVerificationAllowlist", .type = FIELD_STRINGS, .rule = RULE_OMIT},
    {.name = "protectKernelDefaults", .type = FIELD_BOOL, .rule = RULE_OMIT},
    {.name = "providerID", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "qosReserved", .type = FIELD_MAP_STRING, .rule = RULE_OMIT},
    {.name = "readOnlyPort", .type = FIELD_I32, .rule = RULE_OMIT},
    {.name = "registerNode", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "registerWithTaints", .type = FIELD_STRUCTS, .rule = RULE_OMIT, .sub = &taint},
    {.name = "registryBurst", .type = FIELD_I32, .rule = RULE_OMIT},
    {.name = "registryPullQPS", .type = FIELD_I32, .rule = RULE_POINTER},
    {.name = "reservedMemory", .type = FIELD_STRUCTS, .rule = RULE_OMIT, .sub = &reserved_memory},
    {.name = "reservedSystemCPUs", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "resolvConf", .type = FIELD_STRING, .rule = RULE_POINTER, .preset = PRESET_RESOLV_CONF},
    {.name = "rotateCertificates",
     .type = FIELD_BOOL,
     .rule = RULE_OMIT,
     .preset = PRESET_TRUE,
     .forced = true},
    {.name = "runOnce", .type = FIELD_BOOL, .rule = RULE_OMIT},
    {.name = "runtimeRequestTimeout", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "seccompDefault", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "serializeImagePulls", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "serverTLSBootstrap", .type = FIELD_BOOL, .rule = RULE_OMIT},
    {.name = "showHiddenMetricsForVersion", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "shutdownGracePeriod", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "shutdownGracePeriodByPodPriority",
     .type = FIELD_STRUCTS,
     .rule = RULE_OMIT,
     .sub = &shutdown_by_priority},
    {.name = "shutdownGracePeriodCriticalPods", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "singleProcessOOMKill", .type = FIELD_BOOL, .rule = RULE_POINTER},
    {.name = "staticPodPath", .type = FIELD_STRING, .rule = RULE_OMIT, .preset = PRESET_STATIC_PODS},
    {.name = "staticPodURL", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "staticPodURLHeader", .type = FIELD_MAP_STRINGS, .rule = RULE_OMIT},
    {.name = "streamingConnectionIdleTimeout", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "syncFrequency", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
    {.name = "systemCgroups", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "systemReserved", .type = FIELD_MAP_STRING, .rule = RULE_OMIT},
    {.name = "systemReservedCgroup", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "tlsCertFile", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "tlsCipherSuites", .type = FIELD_STRINGS, .rule = RULE_OMIT},
    {.name = "tlsCurvePreferences", .type = FIELD_I32S, .rule = RULE_OMIT, .since = 36},
    {.name = "tlsMinVersion", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "tlsPrivateKeyFile", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "topologyManagerPolicy", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "topologyManagerPolicyOptions", .type = FIELD_MAP_STRING, .rule = RULE_OMIT},
    {.name = "topologyManagerScope", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "tracing", .type = FIELD_STRUCT, .rule = RULE_POINTER, .sub = &tracing},
    {.name = "userNamespaces", .type = FIELD_STRUCT, .rule = RULE_POINTER, .sub = &user_namespaces},
    {.name = "volumePluginDir", .type = FIELD_STRING, .rule = RULE_OMIT},
    {.name = "volumeStatsAggPeriod", .type = FIELD_DURATION, .rule = RULE_ALWAYS},
};
const struct field_table kubeletcfg_fields = {kubelet_rows, COUNT(kubelet_rows)};
