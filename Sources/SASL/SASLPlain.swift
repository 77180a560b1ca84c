/// The message of the PLAIN mechanism (RFC 4616 §2), before base64.
///
///     message = [authzid] UTF8NUL authcid UTF8NUL passwd
package enum SASLPlain {
    /// Encodes the login of `authcid`, with an empty authzid.
    package static func encode(authcid: [UInt8], password: Secret<[UInt8]>) -> Secret<[UInt8]> {
        Secret([0] + authcid + [0] + password.value)
    }

    /// Decodes the message.
    /// - Returns: nil unless there are exactly three fields, authcid and password are not empty,
    ///   and authcid is UTF-8.
    package static func decode(
        _ message: [UInt8]
    ) -> (authzid: [UInt8], authcid: [UInt8], password: Secret<[UInt8]>)? {
        let fields = message.split(separator: 0, omittingEmptySubsequences: false)
        guard fields.count == 3, !fields[1].isEmpty, !fields[2].isEmpty,
            String(validating: fields[1], as: UTF8.self) != nil
        else { return nil }
        return (Array(fields[0]), Array(fields[1]), Secret(Array(fields[2])))
    }
}
