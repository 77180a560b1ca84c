import Gateway
import SASL
import Store

extension ConfigurationOption {
    /// The credential that the gateway uses at an account's servers: a password, or an access
    /// token.
    /// - Throws: if the master key is unreadable, the credential is missing, or no token is issued.
    func credential(of account: UpstreamAccount) async throws -> UpstreamCredential {
        let configuration = try await self.load()
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
