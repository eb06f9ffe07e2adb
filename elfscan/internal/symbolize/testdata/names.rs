// Names of Rust: modules, methods, traits and closures, mangled in the old way and in that of v0.
#![no_std]
#![crate_type = "cdylib"]

pub mod net {
    pub struct Buffer<T>(pub [T; 8]);

    pub trait Sum {
        fn sum(&self) -> u64;
    }

    impl Sum for Buffer<u64> {
        #[inline(never)]
        fn sum(&self) -> u64 {
            self.0.iter().map(|x| double(*x)).fold(0, u64::wrapping_add)
        }
    }

    #[inline(always)]
    fn double(x: u64) -> u64 {
        x.wrapping_mul(x ^ 0x55)
    }
}

#[no_mangle]
pub extern "C" fn total(seed: u64) -> u64 {
    net::Sum::sum(&net::Buffer([seed; 8]))
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
