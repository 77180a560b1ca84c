import CLDAP

/// A message of a server (RFC 4511 §4.1.1).
final class LDAPAnswer {
    private let message: OpaquePointer
    private let handle: OpaquePointer

    /// - Parameters:
    ///   - message: a message, which this object frees.
    ///   - handle: the handle of libldap, which must outlive this object.
    init(message: OpaquePointer, handle: OpaquePointer) {
        self.message = message
        self.handle = handle
    }

    deinit {
        ldap_msgfree(self.message)
    }

    /// The message ID; 0 for an unsolicited notification.
    var id: CInt { ldap_msgid(self.message) }

    /// The tag of the operation, such as `LDAP_RES_BIND`.
    var type: CInt { ldap_msgtype(self.message) }

    /// The result of an operation, or nil if the message has none.
    func result() -> DirectoryResult? {
        self.withResult { result, _ in result }
    }

    /// The result of a search, and the cookie for its next page (RFC 2696).
    /// - Returns: an empty cookie after the last page, or from a server without pages. Nil if the
    ///   message is broken: a lost cookie would make a page look like the last one.
    func searchResult() -> (result: DirectoryResult, cookie: [UInt8])? {
        let result = self.withResult { result, controls in
            self.pageCookie(in: controls).map { (result, $0) }
        }
        return result ?? nil
    }

    private typealias Controls = UnsafeMutablePointer<UnsafeMutablePointer<LDAPControl>?>

    private func withResult<Value>(_ body: (DirectoryResult, Controls?) -> Value) -> Value? {
        var code: CInt = LDAP_OTHER
        var text: UnsafeMutablePointer<CChar>?
        var controls: Controls?
        let parsed = ldap_parse_result(
            self.handle,
            self.message,
            &code,
            nil,
            &text,
            nil,
            &controls,
            0
        )
        defer {
            ldap_memfree(text)
            ldap_controls_free(controls)
        }
        guard parsed == LDAP_SUCCESS else { return nil }
        return body(DirectoryResult(code: code, text: PeerText.printable(text)), controls)
    }

    private func pageCookie(in controls: Controls?) -> [UInt8]? {
        guard controls != nil,
            let control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, nil)
        else { return [] }
        return PageCookie.decode(Array(octets: control.pointee.ldctl_value))
    }

    /// The value of an extended response (RFC 4511 §4.12); none if it has none.
    var extendedValue: [UInt8] { Array(octets: gp_ldap_extended_value(self.message)) }

    /// The entry of a search (RFC 4511 §4.5.2).
    /// - Parameter attributes: the attributes to keep.
    /// - Returns: nil if the message is broken.
    /// - Throws: `failed` if the entry exceeds the allowance.
    func entry(
        keeping attributes: RequestedAttributes,
        allowance: inout ResultAllowance
    ) throws(DirectoryError) -> DirectoryEntry? {
        var decoder: OpaquePointer?
        var name = berval()
        let code = ldap_get_dn_ber(self.handle, self.message, &decoder, &name)
        guard code == LDAP_SUCCESS, let decoder else { return nil }
        // The buffer belongs to the message.
        defer { ber_free(decoder, 0) }
        try allowance.take(octets: Int(clamping: name.bv_len))
        var entry = DirectoryEntry(name: DirectoryName.text(of: Array(octets: name)))
        while true {
            var description = berval()
            var values: UnsafeMutablePointer<berval>?
            let code = ldap_get_attribute_ber(
                self.handle,
                self.message,
                decoder,
                &description,
                &values
            )
            // The octets of the values belong to the message.
            defer { ber_memfree(values) }
            guard code == LDAP_SUCCESS else { return nil }
            guard description.bv_val != nil else { return entry }
            guard let attribute = AttributeDescription(Array(octets: description)) else {
                return nil
            }
            guard attributes.contain(attribute.name) else { continue }
            try allowance.take(octets: Int(clamping: description.bv_len))
            entry.add(attribute, values: try Self.copy(values, allowance: &allowance))
        }
    }

    /// Copies values.
    /// - Parameter values: a list that ends with a value without a pointer, or nil for none.
    private static func copy(
        _ values: UnsafeMutablePointer<berval>?,
        allowance: inout ResultAllowance
    ) throws(DirectoryError) -> [[UInt8]] {
        guard let values else { return [] }
        var copies: [[UInt8]] = []
        while values[copies.count].bv_val != nil {
            let value = values[copies.count]
            try allowance.take(octets: Int(clamping: value.bv_len), values: 1)
            copies.append(Array(octets: value))
        }
        return copies
    }
}

extension [UInt8] {
    /// A copy of the octets of a value of libldap.
    fileprivate init(octets value: berval) {
        self.init(UnsafeRawBufferPointer(start: value.bv_val, count: Int(clamping: value.bv_len)))
    }
}
