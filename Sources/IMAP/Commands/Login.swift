package import SASL

package import struct NIOCore.ByteBuffer

/// `LOGIN anna@kanzlei.example "pass word"` (RFC 9051 §6.2.3).
package struct Login: Equatable, Sendable {
    /// The octets of the user name.
    package var username: [UInt8]
    /// The octets of the password.
    package var password: Secret<[UInt8]>
}

/// `AUTHENTICATE PLAIN [initial response]` (RFC 9051 §6.2.2, RFC 4959).
package struct Authenticate: Equatable, Sendable {
    /// The mechanism's name as the client spells it.
    package var mechanism: ByteBuffer
    /// The decoded initial response; nil without one.
    package var initialResponse: Secret<[UInt8]>?
}

/// `ENABLE CONDSTORE` (RFC 5161).
package struct Enable: Equatable, Sendable {
    /// The capability names in upper case.
    package var capabilities: [String]
}

extension Cursor {
    ///     login = "LOGIN" SP userid SP password
    mutating func login() throws(SyntaxError) -> Login {
        let username = try self.astring()
        try self.expectBlank()
        let password = try self.astring()
        try self.expectEndOfCommand()
        return Login(
            username: Array(username.readableBytesView),
            password: Secret(Array(password.readableBytesView))
        )
    }

    ///     authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp]
    ///     initial-resp = base64 / "="
    mutating func authenticate() throws(SyntaxError) -> Authenticate {
        let mechanism = try self.atom()
        guard self.takeBlank() else {
            try self.expectEndOfCommand()
            return Authenticate(mechanism: mechanism, initialResponse: nil)
        }
        let text = Array(self.takeRun { $0 > 0x20 && $0 < 0x7F }.readableBytesView)
        try self.expectEndOfCommand()
        let isEmpty = text == [UInt8(ascii: "=")]
        guard let response = isEmpty ? [] : Base64.decode(text), !text.isEmpty else {
            throw self.error(.expected("base64"))
        }
        return Authenticate(mechanism: mechanism, initialResponse: Secret(response))
    }

    ///     enable = "ENABLE" 1*(SP capability)
    mutating func enable() throws(SyntaxError) -> Enable {
        var names = [try self.atom().uppercasedText()]
        while self.takeBlank() { names.append(try self.atom().uppercasedText()) }
        try self.expectEndOfCommand()
        return Enable(capabilities: names)
    }

    /// Parses and drops a client's identification.
    ///
    ///     id = "ID" SP ("(" [string SP nstring *(SP string SP nstring)] ")" / nil)
    ///
    /// At most 30 pairs, with names of 30 and values of 1,024 octets (RFC 2971 §3.3).
    mutating func identification() throws(SyntaxError) {
        if self.take(word: "NIL") { return try self.expectEndOfCommand() }
        _ = try self.elements(mayBeEmpty: true, atMost: 30) { cursor throws(SyntaxError) -> Bool in
            let name = try cursor.string()
            try cursor.expectBlank()
            let value = try cursor.nstring()
            guard name.readableBytes <= 30, (value?.readableBytes ?? 0) <= 1_024 else {
                throw cursor.error(.commandTooLarge)
            }
            return true
        }
        try self.expectEndOfCommand()
    }
}
