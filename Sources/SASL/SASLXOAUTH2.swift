/// The message of XOAUTH2, the mechanism of Microsoft and Google for OAuth access tokens, without base64.
///
///     message = "user=" user %x01 "auth=Bearer " token %x01 %x01
package enum SASLXOAUTH2 {
    /// Builds the message that logs in as `user`.
    package static func encode(user: [UInt8], token: Secret<[UInt8]>) -> Secret<[UInt8]> {
        Secret(
            Array("user=".utf8) + user + [1] + Array("auth=Bearer ".utf8) + token.value + [1, 1]
        )
    }
}
