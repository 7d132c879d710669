#!/bin/sh
# Makes the certificates of test_tls.c and test_x509.c in the folder $1 with openssl: two CAs, an intermediate CA, and leaves
# that each differ in one thing. All leaves are for server.test.
set -eu
cd "$1"

q() { openssl "$@" >log 2>&1 || { cat log >&2; exit 1; }; }
key() { q ecparam -genkey -name prime256v1 -noout -out "$1.key"; }

# root NAME [OPTION...]
root() {
    n=$1
    shift
    [ -f "$n.key" ] || key "$n"
    q req -x509 -new -key "$n.key" -subj "/CN=$n" -days 3650 -out "$n.pem" "$@"
}

# issue NAME ISSUER DAYS: extensions are read from standard input.
issue() {
    [ -f "$1.key" ] || key "$1"
    cat >"$1.ext"
    q req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    q x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days "$3" -extfile "$1.ext" -out "$1.pem"
}

leaf_lines() {
    printf 'subjectAltName=%s\nextendedKeyUsage=%s\nkeyUsage=%s\nbasicConstraints=CA:FALSE\n' "$1" "$2" "$3"
}

ca_lines() {
    printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n'
}

# leaf NAME ISSUER SAN EKU KEYUSAGE
leaf() { leaf_lines "$3" "$4" "$5" | issue "$1" "$2" 30; }

root ca -addext keyUsage=critical,keyCertSign
root other -addext keyUsage=critical,keyCertSign
cp ca.key twin.key
q ecparam -genkey -name prime256v1 -noout -out twin.key
q req -x509 -new -key twin.key -subj /CN=ca -days 3650 -out twin.pem
ca_lines | issue ica ca 365
{ ca_lines; echo extendedKeyUsage=clientAuth; } | issue clientca ca 365
{ ca_lines; echo 'nameConstraints=permitted;DNS:server.test'; } | issue constrained ca 365
printf 'basicConstraints=CA:TRUE\nkeyUsage=critical,keyCertSign\n' | issue uncritical ca 365
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n' | issue nocertsign ca 365

names='DNS:server.test,DNS:*.wild.test,DNS:*.test,IP:127.0.0.1,IP:fd00:1:2:3::3'
leaf leaf ca "$names" serverAuth digitalSignature
leaf viaica ica "$names" serverAuth digitalSignature
leaf viaclientca clientca "$names" serverAuth digitalSignature
leaf viaconstrained constrained "$names" serverAuth digitalSignature
leaf viauncritical uncritical "$names" serverAuth digitalSignature
leaf viaother other "$names" serverAuth digitalSignature
leaf wrongname ca DNS:other.test serverAuth digitalSignature
leaf iptext ca DNS:127.0.0.1,DNS:server.test serverAuth digitalSignature
leaf noserver ca "$names" clientAuth digitalSignature
leaf anyusage ca "$names" anyExtendedKeyUsage digitalSignature
leaf nosign ca "$names" serverAuth keyAgreement
leaf certsign ca "$names" serverAuth digitalSignature,keyCertSign
printf 'extendedKeyUsage=serverAuth\n' | { cp ca.key unused.key; issue server.test ca 30; }
printf 'subjectAltName=DNS:server.test\n' | issue noeku ca 30
{ leaf_lines "$names" serverAuth digitalSignature; echo '1.2.3.4=critical,DER:0500'; } | issue critical ca 30
{ leaf_lines "$names" serverAuth digitalSignature; echo 'nameConstraints=permitted;DNS:server.test'; } | issue leafconstrained ca 30
printf 'subjectAltName=DNS:server.test\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:TRUE\n' | issue caleaf ca 30
q req -new -key leaf.key -subj /CN=server.test -out v1.csr
q x509 -req -in v1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out v1.pem
cp leaf.key v1.key

# A self-signed certificate as `openssl req -x509` makes it by default.
q ecparam -genkey -name prime256v1 -noout -out selfsigned.key
q req -x509 -new -key selfsigned.key -subj /CN=server.test -days 30 -out selfsigned.pem -addext subjectAltName=DNS:server.test \
    -addext extendedKeyUsage=serverAuth

# Keys and digests that are refused.
q genpkey -algorithm ed25519 -out ed.key
leaf ed ca "$names" serverAuth digitalSignature
q genrsa -out rsa1024.key 1024
leaf rsa1024 ca "$names" serverAuth digitalSignature
q ecparam -genkey -name secp521r1 -noout -out p521.key
leaf p521 ca "$names" serverAuth digitalSignature
q req -new -key leaf.key -subj /CN=sha1 -out sha1.csr
q x509 -req -sha1 -in sha1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile leaf.ext -out sha1.pem

# Keys that are accepted.
q ecparam -genkey -name secp384r1 -noout -out p384.key
leaf p384 ca "$names" serverAuth digitalSignature
q genrsa -out rsa.key 2048
leaf rsa ca "$names" serverAuth digitalSignature
q genrsa -out rsa3072.key 3072
root rsa3072 -sha512 -sigopt rsa_padding_mode:pss
leaf_lines "$names" serverAuth digitalSignature >viapss.ext
q req -new -key leaf.key -subj /CN=viapss -out viapss.csr
q x509 -req -sha384 -sigopt rsa_padding_mode:pss -in viapss.csr -CA rsa3072.pem -CAkey rsa3072.key -CAcreateserial -days 30 \
    -extfile viapss.ext -out viapss.pem

# As kubeadm makes them: RSA-2048, no subjectKeyIdentifier on the leaf, keyUsage with keyEncipherment.
q genrsa -out kca.key 2048
q req -x509 -new -key kca.key -subj /CN=kubernetes -days 3650 -out kca.pem \
    -addext keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign -addext subjectAltName=DNS:kubernetes
q genrsa -out kube.key 2048
issue kube kca 365 <<X
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth
basicConstraints=critical,CA:FALSE
subjectAltName=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:server.test,IP:10.96.0.1,IP:10.100.0.1,IP:127.0.0.1
authorityKeyIdentifier=keyid
X

# A node's client certificate, and what is nearly one.
# client NAME ISSUER SUBJECT EKU
client() {
    key "$1"
    printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=%s\nbasicConstraints=critical,CA:FALSE\n' "$4" >"$1.ext"
    q req -new -key "$1.key" -subj "$3" -out "$1.csr"
    q x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 365 -extfile "$1.ext" -out "$1.pem"
    cat "$1.key" >>"$1.pem"
}
client node kca /O=system:nodes/CN=system:node:node-1 clientAuth
client nodeserver kca /O=system:nodes/CN=system:node:node-1 serverAuth
client nodeother ca /O=system:nodes/CN=system:node:node-1 clientAuth
client nodetwice kca /CN=system:node:node-1/CN=system:node:node-1 clientAuth
client nodenameless kca /O=system:nodes clientAuth

for n in viaica:ica viaclientca:clientca viaconstrained:constrained viauncritical:uncritical; do
    cat "${n%:*}.pem" "${n#*:}.pem" >"${n%:*}.chain"
done
