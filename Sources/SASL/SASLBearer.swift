/// A message that carries an OAuth access token, before base64: that of OAUTHBEARER or XOAUTH2.
package struct SASLBearer: Equatable, Sendable {
    /// The user whom the client names; empty if it leaves that to the token.
    package var user: [UInt8]
    /// The access token; empty if the client only asks what the server expects (RFC 7628 §4.3).
    package var token: Secret<[UInt8]>

    /// The separator of fields (`kvsep`).
    private static let separator: UInt8 = 1

    private init(user: [UInt8], token: Secret<[UInt8]>) {
        self.user = user
        self.token = token
    }

    /// Decodes a message of OAUTHBEARER (RFC 7628 §3.1).
    ///
    ///     message = gs2-header kvsep *(key "=" value kvsep) kvsep
    ///     gs2-header = ("n" / "y") "," ["a=" saslname] ","
    ///
    /// - Returns: nil for a malformed message, a channel binding, a field that occurs twice, and a user
    ///   that is not UTF-8.
    package init?(oauthBearer message: [UInt8]) {
        guard let end = message.firstIndex(of: Self.separator),
            let fields = Self.fields(message[end...].dropFirst())
        else { return nil }
        let header = message[..<end].split(
            separator: UInt8(ascii: ","),
            omittingEmptySubsequences: false
        )
        guard header.count == 3, header[2].isEmpty,
            header[0].elementsEqual("n".utf8) || header[0].elementsEqual("y".utf8)
        else { return nil }
        var user: [UInt8] = []
        if !header[1].isEmpty {
            guard header[1].starts(with: "a=".utf8),
                let name = Self.decodedName(header[1].dropFirst(2)), !name.isEmpty
            else { return nil }
            user = name
        }
        self.init(user: user, fields: fields)
    }

    /// Decodes a message of XOAUTH2.
    ///
    ///     message = "user=" user %x01 "auth=Bearer " token %x01 %x01
    ///
    /// - Returns: nil for a malformed message, a field that occurs twice, and a user that is missing or
    ///   is not UTF-8.
    package init?(xoauth2 message: [UInt8]) {
        guard let fields = Self.fields(message[...]), let user = fields["user"], !user.isEmpty,
            String(validating: user, as: UTF8.self) != nil
        else { return nil }
        self.init(user: user, fields: fields)
    }

    private init?(user: [UInt8], fields: [String: [UInt8]]) {
        guard let authorization = fields["auth"] else { return nil }
        if authorization.isEmpty {
            self.init(user: user, token: Secret([]))
            return
        }
        let words = authorization.split(separator: UInt8(ascii: " "), maxSplits: 1)
        guard words.count == 2, Self.isBearer(words[0]), Self.isToken(words[1]) else { return nil }
        self.init(user: user, token: Secret(Array(words[1])))
    }

    /// The fields up to the empty one that ends the message.
    private static func fields(_ octets: ArraySlice<UInt8>) -> [String: [UInt8]]? {
        guard octets.count >= 2, octets.suffix(2).elementsEqual([self.separator, self.separator])
        else { return octets.elementsEqual([self.separator]) ? [:] : nil }
        var fields: [String: [UInt8]] = [:]
        let lines = octets.dropLast(2).split(
            separator: self.separator,
            omittingEmptySubsequences: false
        )
        for line in lines {
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")), equals > line.startIndex,
                line[..<equals].allSatisfy({ self.isLetter($0) })
            else { return nil }
            let key = String(decoding: line[..<equals], as: UTF8.self)
            let value = Array(line[(equals + 1)...])
            guard fields.updateValue(value, forKey: key) == nil else { return nil }
        }
        return fields
    }

    /// Decodes a `saslname` (RFC 5801 §4): `=2C` is a comma, `=3D` an equals sign.
    private static func decodedName(_ name: ArraySlice<UInt8>) -> [UInt8]? {
        var decoded: [UInt8] = []
        var rest = name
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "=") else {
                decoded.append(octet)
                continue
            }
            let code = rest.prefix(2)
            rest = rest.dropFirst(2)
            if code.elementsEqual("2C".utf8) {
                decoded.append(UInt8(ascii: ","))
            } else if code.elementsEqual("3D".utf8) {
                decoded.append(UInt8(ascii: "="))
            } else {
                return nil
            }
        }
        return String(validating: decoded, as: UTF8.self) == nil || decoded.contains(0)
            ? nil : decoded
    }

    /// Whether this is `Bearer`, in any case (RFC 9110 §11.1).
    private static func isBearer(_ scheme: ArraySlice<UInt8>) -> Bool {
        scheme.map { self.isLetter($0) ? $0 | 0x20 : $0 }.elementsEqual("bearer".utf8)
    }

    /// Whether this is a `b64token` (RFC 6750 §2.1).
    private static func isToken(_ octets: ArraySlice<UInt8>) -> Bool {
        let padding = octets.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let token = octets.dropLast(padding)
        return !token.isEmpty
            && token.allSatisfy { octet in
                self.isLetter(octet) || (0x30...0x39).contains(octet)
                    || "-._~+/".utf8.contains(octet)
            }
    }

    private static func isLetter(_ octet: UInt8) -> Bool {
        (0x41...0x5A).contains(octet) || (0x61...0x7A).contains(octet)
    }
}
