import Access
import Gateway
import SASL
import Store

extension ConfigurationOption {
    /// The credential that the gateway uses at an account's servers: a password, or an access
    /// token.
    /// - Throws: ``Failure`` if the gateway learns the password when the owner logs in; an error if the
    ///   master key is unreadable, the credential is missing, or no token is issued.
    func credential(of account: UpstreamAccount) async throws -> UpstreamCredential {
        let configuration = try await self.load()
        if account.sealedPassword == nil, configuration.authentication.learns,
            let owner = configuration.authentication.teacher(
                of: account.id,
                in: try await self.openStore().load()
            )
        {
            throw Failure(
                "the password of \(account.address) is not known yet: \(owner.login) has to log in at "
                    + "the gateway once, or use gatepost account set \(account.address) --password-stdin"
            )
        }
        let credentials = CredentialSource(
            try MasterKey(file: configuration.masterKey),
            application: configuration.exchange
        )
        do {
            let credential = try await credentials.credential(of: account)
            await credentials.shutdown()
            return credential
        } catch {
            await credentials.shutdown()
            throw error
        }
    }
}
