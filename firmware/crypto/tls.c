/*
 * tls.c - handshake and trust of the engine in tls.h. The bytes are moved in tls_data.c.
 *
 * mbedTLS verifies no certificate here (VERIFY_NONE): x509_check() judges the whole chain, in one place, when the handshake is complete, and
 * nothing but the handshake was said by then. That the peer owns the leaf's key is part of the handshake in every mode.
 */
#include "firmware/crypto/tls_mbed.h"

#include <mbedtls/psa_util.h>

#include "firmware/base/text.h"
#include "firmware/crypto/crypto_mbed.h"
#include "firmware/crypto/heap.h"

_Static_assert(sizeof(struct tls_priv) <= sizeof(((struct tls *)0)->priv),
               "mbedTLS' contexts fit into struct tls");

static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};

static int set_up(struct tls *t)
{
    struct tls_priv *p = tls_priv(t);
    struct ip ip;
    bool named = t->demand.ip.family == FAMILY_NONE && text_is_hostname(span_str(t->demand.host)) &&
                 ip_parse(span_str(t->demand.host), &ip) != OK; /* no SNI for addresses: RFC 6066 section 3 */
    int bad = mbedtls_ssl_config_defaults(&p->conf, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                          MBEDTLS_SSL_PRESET_DEFAULT);

    if (bad != 0)
        return bad;
    mbedtls_ssl_conf_authmode(&p->conf, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_groups(&p->conf, groups);
    mbedtls_ssl_conf_rng(&p->conf, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    mbedtls_ssl_conf_legacy_renegotiation(&p->conf, MBEDTLS_SSL_LEGACY_BREAK_HANDSHAKE);
    bad = mbedtls_ssl_setup(&p->ssl, &p->conf);
    if (bad == 0)
        bad = mbedtls_ssl_set_hostname(&p->ssl, named ? t->demand.host : NULL);
    mbedtls_ssl_set_bio(&p->ssl, t, tls_bio_send, tls_bio_recv, NULL);
    return bad;
}

enum err tls_start(struct tls *t, const struct x509_roots *roots, const struct x509_demand *demand)
{
    struct tls_priv *p = tls_priv(t);

    if (t->state != TLS_IDLE || !crypto_started())
        return ERR_STATE;
    memset(t, 0, sizeof(*t));
    t->roots = roots;
    t->demand = *demand;
    crypto_set_time(demand->now_s); /* part of TLS 1.2's client random */
    mbedtls_ssl_init(&p->ssl);
    mbedtls_ssl_config_init(&p->conf);
    p->first_failures = heap_failures();
    crypto_user_begin();
    t->state = TLS_HANDSHAKE;
    if (set_up(t) != 0) {
        tls_stop(t);
        return ERR_NOMEM;
    }
    return OK;
}

void tls_stop(struct tls *t)
{
    if (t->state != TLS_IDLE) {
        mbedtls_ssl_free(&tls_priv(t)->ssl);
        mbedtls_ssl_config_free(&tls_priv(t)->conf);
        crypto_user_end(heap_failures() != tls_priv(t)->first_failures);
    }
    wipe(t, sizeof(*t));
}

/* Alert descriptions that tell an operator something (RFC 8446 section 6). */
static const char *alert_name(uint8_t alert)
{
    switch (alert) {
    case MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE:
        return "handshake_failure: no cipher suite or signature algorithm in common";
    case MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION:
        return "protocol_version: it speaks neither TLS 1.2 nor 1.3";
    case MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME:
        return "unrecognized_name: it does not serve this host name";
    case MBEDTLS_SSL_ALERT_MSG_CERT_REQUIRED:
        return "certificate_required: it wants a client certificate";
    default:
        return "see its log";
    }
}

enum err tls_fail(struct tls *t, int bad)
{
    struct tls_priv *p = tls_priv(t);
    uint8_t alert;

    t->state = TLS_FAILED;
    if (heap_failures() != p->failures)
        return fault_set(&t->fault, ERR_NOMEM, "no memory for TLS");
    switch (bad) {
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return fault_set(&t->fault, ERR_CLOSED, "the server closed the connection during the TLS handshake");
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        alert = p->ssl.MBEDTLS_PRIVATE(in_msg)[1];
        return fault_set(&t->fault, ERR_TLS, "the server sent alert %u (%s)", alert, alert_name(alert));
    case MBEDTLS_ERR_SSL_INVALID_RECORD:
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
        return fault_set(&t->fault, ERR_TLS, "the server does not answer with TLS 1.2 or 1.3");
    case MBEDTLS_ERR_SSL_INVALID_MAC:
        return fault_set(&t->fault, ERR_TLS, "a record is damaged");
    default:
        break;
    }
    /* mbedTLS' modules have their codes in ranges: X.509 -0x2080 to -0x2f80, public keys -0x3880 to -0x3f80. */
    if (bad == MBEDTLS_ERR_SSL_BAD_CERTIFICATE || bad == MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION ||
        (bad <= -0x2080 && bad >= -0x2fff) || (bad <= -0x3880 && bad >= -0x3fff))
        return fault_set(&t->fault, ERR_TLS_PROFILE,
                         "a certificate of the server cannot be read (mbedTLS -0x%x)", (unsigned)-bad);
    return fault_set(&t->fault, ERR_TLS, "mbedTLS -0x%x", (unsigned)-bad);
}

static uint8_t alert_for(enum err e)
{
    switch (e) {
    case ERR_TLS_ROOT:
        return MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA;
    case ERR_TLS_EXPIRED:
    case ERR_TLS_FUTURE:
        return MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED;
    case ERR_NOMEM:
        return MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR;
    default:
        return MBEDTLS_SSL_ALERT_MSG_BAD_CERT;
    }
}

/* Runs x509_check() over what the peer sent. To FAILED with an alert if it is refused. */
static enum err check_peer(struct tls *t)
{
    struct tls_priv *p = tls_priv(t);
    struct span chain[X509_CHAIN_MAX];
    unsigned n = 0;
    enum err e;

    for (const mbedtls_x509_crt *c = mbedtls_ssl_get_peer_cert(&p->ssl); c != NULL; c = c->next, n++)
        if (n < X509_CHAIN_MAX)
            chain[n] = span_of(c->raw.p, c->raw.len);
    e = x509_check(chain, n, t->roots, &t->demand, &t->fault);
    if (e == OK)
        return OK;
    t->state = TLS_FAILED;
    if (!t->peer_closed)
        (void)mbedtls_ssl_send_alert_message(&p->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                             alert_for(e)); /* may find no room: then it stays away */
    return e;
}

enum tls_state tls_step(struct tls *t)
{
    int bad;

    if (t->state != TLS_HANDSHAKE)
        return t->state;
    tls_priv(t)->failures = heap_failures();
    bad = mbedtls_ssl_handshake(&tls_priv(t)->ssl);
    if (bad == MBEDTLS_ERR_SSL_WANT_READ || bad == MBEDTLS_ERR_SSL_WANT_WRITE)
        return t->state;
    if (bad != 0) {
        (void)tls_fail(t, bad);
    } else if (t->roots == NULL) {
        t->state = TLS_CAPTURED;
    } else if (check_peer(t) == OK) {
        t->state = TLS_OPEN;
        t->trusted = true;
    }
    return t->state;
}

enum err tls_trust(struct tls *t, const struct x509_roots *roots, const struct x509_demand *demand)
{
    enum err e;

    if (t->state != TLS_CAPTURED)
        return ERR_STATE;
    t->roots = roots;
    t->demand = *demand;
    e = check_peer(t);
    if (e == OK) {
        t->state = TLS_OPEN;
        t->trusted = true;
    }
    return e;
}

enum err tls_recheck(struct tls *t, int64_t now_s, enum time_quality quality)
{
    if (!t->trusted || (t->state != TLS_OPEN && t->state != TLS_CLOSED))
        return ERR_STATE;
    t->demand.now_s = now_s;
    t->demand.quality = quality;
    return check_peer(t);
}

const char *tls_version(const struct tls *t)
{
    const struct tls_priv *p = (const struct tls_priv *)(const void *)t->priv;

    switch (t->state == TLS_IDLE || t->state == TLS_HANDSHAKE ? MBEDTLS_SSL_VERSION_UNKNOWN
                                                              : mbedtls_ssl_get_version_number(&p->ssl)) {
    case MBEDTLS_SSL_VERSION_TLS1_3:
        return "TLSv1.3";
    case MBEDTLS_SSL_VERSION_TLS1_2:
        return "TLSv1.2";
    default:
        return "";
    }
}
