package import SASL

/// The login name and password of a client.
package struct Credentials: Equatable, Sendable {
    /// The login, without an account.
    package var login: [UInt8]
    /// The account after `/` in `LOGIN/ACCOUNT`, shown as the personal one; nil without `/`.
    package var account: [UInt8]?
    package var password: Secret<[UInt8]>

    /// - Parameter name: `login` or `login/account`, as the client sent it.
    package init(name: [UInt8], password: Secret<[UInt8]>) {
        let slash = name.firstIndex(of: UInt8(ascii: "/"))
        self.login = Array(name[..<(slash ?? name.endIndex)])
        self.account = slash.map { Array(name[name.index(after: $0)...]) }
        self.password = password
    }
}
