/* The guest whose fuel is known from wasmtime 49. Built with clang 14:
   clang-14 --target=wasm32 -O2 -fno-builtin -nostdlib -Wl,--no-entry -o golden.wasm golden.c */
typedef unsigned char u8; typedef unsigned int u32; typedef unsigned long long u64;
#define EXP(n) __attribute__((export_name(n)))
#define IMP(n) __attribute__((import_module("env"), import_name(n)))
IMP("log") void host_log(u32 lvl, const u8*p, u32 l);
IMP("db_insert") int host_db_insert(const u8*p, u32 l);
extern u8 __heap_base; static u32 brk_=0;
EXP("alloc") u8* alloc(u32 n){ if(!brk_) brk_=(u32)&__heap_base; u32 p=(brk_+7)&~7u; brk_=p+n;
  u32 pages=__builtin_wasm_memory_size(0); u32 need=(brk_+65535)/65536; if(need>pages && __builtin_wasm_memory_grow(0,need-pages)==(u32)-1) __builtin_trap(); return (u8*)p; }
static u64 pk(const u8*p,u32 l){return ((u64)(u32)p<<32)|l;}
EXP("init") u64 init(void){ return 0; }
EXP("nop") void nop(void){}
EXP("fib") u32 fib(u32 n){ return n<2?n:fib(n-1)+fib(n-2); }
EXP("handle_event") u64 handle_event(const u8*t,u32 tl,const u8*p,u32 l){ u8*o=alloc(tl+1+l); u32 k=0; for(u32 i=0;i<tl;i++)o[k++]=t[i]; o[k++]=':'; for(u32 i=0;i<l;i++)o[k++]=p[i]; host_db_insert(o,k); return pk(o,k);}
/* JSON transform: uppercase keys, sum numbers, append {"sum":N} */
EXP("json") u64 json(const u8*p,u32 l){ u8*o=alloc(2*l+64); u32 k=0; long long sum=0; u32 i=0; int depth=0;
 while(i<l){ u8 c=p[i];
  if(c=='"'){ u32 s=++i; while(i<l&&p[i]!='"'){ if(p[i]=='\\')i++; i++; } u32 e=i++; u32 j=i; while(j<l&&(p[j]==' '||p[j]=='\n'))j++; int key=(j<l&&p[j]==':');
    o[k++]='"'; for(u32 q=s;q<e;q++){u8 d=p[q]; if(key&&d>='a'&&d<='z')d-=32; o[k++]=d;} o[k++]='"'; }
  else if(c=='-'||(c>='0'&&c<='9')){ int neg=0; if(c=='-'){neg=1;o[k++]=c;i++;} long long v=0; while(i<l&&p[i]>='0'&&p[i]<='9'){v=v*10+(p[i]-'0');o[k++]=p[i++];} sum+=neg?-v:v; }
  else if(c==' '||c=='\n'||c=='\t'){i++;}
  else { if(c=='{'||c=='[')depth++; if(c=='}'||c==']')depth--; o[k++]=c;i++; } }
 const char*h="{\"sum\":"; for(;*h;)o[k++]=*h++; if(sum<0){o[k++]='-';sum=-sum;} u8 b[24];int n=0; do{b[n++]='0'+sum%10;sum/=10;}while(sum); while(n)o[k++]=b[--n]; o[k++]='}';
 return pk(o,k);}
EXP("boom") u64 boom(void){ return host_db_insert((u8*)0,0xffffffffu); }
/* sieve: memory heavy */
static u8 sv[1000000];
EXP("sieve") u32 sieve(u32 n){ for(u32 i=0;i<n;i++)sv[i]=1; u32 c=0; for(u32 i=2;i<n;i++){ if(!sv[i])continue; c++; for(u32 j=i*2;j<n;j+=i)sv[j]=0;} return c;}
