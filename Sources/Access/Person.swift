/// A user of the gateway with the addresses that belong to this user.
package struct Person: Sendable {
    /// The user's login.
    package var login: String
    /// The login, and the addresses of the accounts that the user owns.
    package var addresses: Set<String>

    package init(login: String, addresses: Set<String>) {
        self.login = login
        self.addresses = addresses
    }
}
