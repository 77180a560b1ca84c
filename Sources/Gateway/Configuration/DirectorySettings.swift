package import LDAP
package import SASL

/// The part `authentication.ldap` of the configuration: the directory that checks passwords.
package struct DirectorySettings: Sendable {
    /// How the entry of a user is found.
    package enum Lookup: Sendable {
        /// Its name follows from the login.
        case template(DirectoryNameTemplate)
        case search(Search)
    }

    /// The search for the entry of a user.
    package struct Search: Sendable {
        package var base: String
        /// The base of the groups that `gatepost group add --ldap` names.
        package var groupBase: String
        package var filter: DirectoryFilterTemplate
        /// The attribute that contains the login.
        package var loginAttribute: String
        /// The gateway's own account, which may search.
        package var account: DirectoryAccount
    }

    package var servers: DirectoryServers
    package var lookup: Lookup
    /// The time between two readings of a group's members, in minutes.
    package var groupMinutes: Int
}

/// The gateway's own account in the directory.
package struct DirectoryAccount: Sendable {
    /// A distinguished name.
    package var name: String
    package var password: Secret<[UInt8]>
}
