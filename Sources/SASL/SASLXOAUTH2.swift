/// The message of the XOAUTH2 mechanism, before base64: Microsoft and Google define it for OAuth
/// access tokens.
///
///     message = "user=" user %x01 "auth=Bearer " token %x01 %x01
package enum SASLXOAUTH2 {
    /// Encodes the login of `user`.
    package static func encode(user: [UInt8], token: Secret<[UInt8]>) -> Secret<[UInt8]> {
        Secret(
            Array("user=".utf8) + user + [1] + Array("auth=Bearer ".utf8) + token.value + [1, 1]
        )
    }
}
