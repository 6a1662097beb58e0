//! Names to addresses, checked between the lookup and the connection.
//!
//! The client connects to the very addresses checked here and looks up no name of its own, so a
//! name that changes its address after the check (DNS rebinding) gains nothing.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::guard::Guard;

/// A lookup under way.
pub type Lookup = BoxFuture<'static, io::Result<Vec<IpAddr>>>;

/// Where names are looked up: the system in production, a table in tests.
pub trait Resolver: Send + Sync + 'static {
    /// Every address of a name; an empty list means that it has none.
    fn lookup(&self, host: &str) -> Lookup;
}

/// The machine's own resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn lookup(&self, host: &str) -> Lookup {
        let host = host.to_owned();
        async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        }
        .boxed()
    }
}

/// Lets only checked addresses through to the client.
#[derive(Clone)]
pub(super) struct PinnedResolver {
    pub(super) inner: Arc<dyn Resolver>,
    pub(super) guard: Guard,
}

impl Resolve for PinnedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.guard.clone();
        let lookup = self.inner.lookup(name.as_str());
        async move {
            let addresses = lookup.await?;
            if addresses.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            // One special address among public ones is an attack or a mistake: none is used.
            for address in &addresses {
                guard.check_address(*address)?;
            }
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as Addrs)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Answers the first lookup with a public address, every later one with a private one.
    #[derive(Default)]
    struct Rebinding(AtomicUsize);

    impl Resolver for Rebinding {
        fn lookup(&self, _host: &str) -> Lookup {
            let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
            let address = if first { [1, 1, 1, 1] } else { [10, 0, 0, 1] };
            std::future::ready(Ok(vec![IpAddr::from(address)])).boxed()
        }
    }

    #[tokio::test]
    async fn a_rebinding_name_is_used_as_it_was_checked_or_not_at_all() {
        let guard = Guard::new(Arc::default());
        let resolver = PinnedResolver { inner: Arc::<Rebinding>::default(), guard };
        let resolve = || resolver.resolve("rebinding.example".parse().unwrap());
        let addresses: Vec<_> = resolve().await.unwrap().collect();
        assert_eq!(addresses, [SocketAddr::from(([1, 1, 1, 1], 0))]);
        assert!(
            resolve().await.is_err_and(|error| error.is::<super::super::guard::AddressRefused>())
        );
    }
}
