import Gateway
import SASL
import Store

extension ConfigurationOption {
    /// What the gateway logs in with at an account's server.
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
