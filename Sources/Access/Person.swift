/// A user of the gateway, and the addresses that are known to be the same person's.
package struct Person: Sendable {
    package var login: String
    /// The login and the addresses of the accounts that belong to the user.
    package var addresses: Set<String>

    package init(login: String, addresses: Set<String>) {
        self.login = login
        self.addresses = addresses
    }
}
